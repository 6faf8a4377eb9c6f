package dev.graft.server.extraction;

import dev.graft.server.backbones.Backbone;
import dev.graft.server.torch.Lanes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;

/**
 * Computes features of a stream of items. Items are added by one thread at a time; results come on
 * the lanes' threads, batch by batch in any order, several batches at a time.
 *
 * <p>Batches wait here, and only a few are with the lanes: each makes room for the next when its
 * results have room. So a client that does not read costs a few batches' results and no more,
 * however many it asked for.
 */
public final class FeatureStream implements AutoCloseable {
  /** What may wait before the caller is asked to wait, in batches for each lane. */
  private static final int WAITING_BATCHES = 48;

  /** The same where blocks are made on demand: one window computes while the next one gathers. */
  private static final int WAITING_WINDOWS = 2;

  /** Batches that are with the lanes, for each lane: one computes while another waits its turn. */
  private static final int SUBMITTED_BATCHES = 2;

  /** Most bytes of a batch's results: on a GPU batches are large, and so are many short items'. */
  private static final int RESULT_BYTES = 16 << 20;

  /** What an item costs while it waits, apart from its tokens, in tokens' place. */
  private static final int ITEM_COST = 16;

  /** What happens with the results. */
  public interface Listener {
    /** Some items are done. Comes on several lanes' threads at the same time. */
    void onFeatures(List<ItemFeatures> features);

    /** All items that were added before {@link #end} are done. */
    void onEnd();

    /** A batch failed; nothing follows, except for what other lanes are at. */
    void onError(Throwable error);

    /** Runs {@code action} when there is room for more results: at once, or later. */
    default void whenRoom(Runnable action) {
      action.run();
    }
  }

  /** A batch's last step, or its only one. */
  private record Work(List<TokenizedItem> batch, Callable<float[]> features) {}

  private final BatchComputation computation;

  /** Where the backbone's blocks are made on demand. */
  private final Optional<LayerMajor> layerMajor;

  private final Lanes.Turns turns;
  private final Listener listener;
  private final Batcher batcher;
  private final long mostWaiting;

  /** Batches that are not submitted. Guarded by this. */
  private final Queue<Work> queue = new ArrayDeque<>();

  /** Batches that may be submitted. Guarded by this. */
  private int free;

  /** Batches that are not done. Guarded by this. */
  private int batches;

  /** What they cost. Guarded by this. */
  private long waiting;

  /** Guarded by this. */
  private boolean ended;

  /** Guarded by this. */
  private boolean over;

  /** Runs when there is room again; null when nobody waits. Guarded by this. */
  private Runnable whenReady;

  public FeatureStream(
      Extraction extraction,
      Backbone backbone,
      FeatureSpec spec,
      Lanes.Turns turns,
      Listener listener) {
    this.computation = new BatchComputation(extraction, backbone, spec);
    this.turns = turns;
    this.listener = listener;
    this.batcher = batcher(extraction, spec, backbone.info().hiddenSize());
    this.layerMajor =
        computation
            .steps()
            .map(
                steps ->
                    new LayerMajor(
                        computation,
                        steps,
                        extraction,
                        (long) backbone.info().hiddenSize() * spec.computeDtype().dtype().bytes(),
                        turns,
                        new Passed()));
    this.mostWaiting =
        Math.max(
            (long) WAITING_BATCHES * extraction.lanes() * extraction.tokensPerBatch(),
            layerMajor.map(LayerMajor::windowTokens).orElse(0L) * WAITING_WINDOWS);
    this.free = SUBMITTED_BATCHES * extraction.lanes();
  }

  private static Batcher batcher(Extraction extraction, FeatureSpec spec, int hiddenSize) {
    int rows = Math.max(1, RESULT_BYTES / (Float.BYTES * hiddenSize));
    int tokens = extraction.tokensPerBatch();
    if (spec.pooling() == Pooling.NONE) {
      tokens = Math.min(tokens, rows);
    }
    return new Batcher(tokens, rows);
  }

  public void add(TokenizedItem item) {
    enqueue(batcher.add(item));
  }

  /** Computes what was added without waiting for more. */
  public void flush() {
    enqueue(batcher.flush());
  }

  /** No more items follow. */
  public void end() {
    flush();
    boolean done;
    synchronized (this) {
      ended = true;
      done = batches == 0 && !over;
      over |= done;
    }
    if (done) {
      listener.onEnd();
    }
  }

  /** Runs {@code action} when more items should be added: at once, or on a lane's thread later. */
  public void whenReady(Runnable action) {
    synchronized (this) {
      if (waiting > mostWaiting && !over) {
        whenReady = action;
        return;
      }
    }
    action.run();
  }

  private void enqueue(List<List<TokenizedItem>> more) {
    synchronized (this) {
      if (over) {
        return;
      }
      batches += more.size();
      more.forEach(batch -> waiting += cost(batch));
      if (layerMajor.isEmpty()) {
        more.forEach(batch -> queue.add(new Work(batch, () -> computation.features(batch))));
      }
    }
    layerMajor.ifPresentOrElse(schedule -> schedule.add(more), () -> submit(0));
  }

  private static long cost(List<TokenizedItem> batch) {
    return batch.stream().mapToLong(item -> item.ids().length + (long) ITEM_COST).sum();
  }

  /** Submits batches as far as allowed, which is so many more now. */
  private void submit(int more) {
    synchronized (this) {
      free += more;
    }
    for (Work next = next(); next != null; next = next()) {
      Work work = next;
      turns.submit(
          () -> {
            listener.onFeatures(split(work.batch(), work.features().call()));
            return true;
          },
          (done, error) -> done(work.batch(), error));
    }
  }

  private synchronized Work next() {
    if (free == 0 || queue.isEmpty() || over) {
      return null;
    }
    free--;
    return queue.remove();
  }

  private void done(List<TokenizedItem> batch, Throwable error) {
    Runnable ready = null;
    boolean last;
    synchronized (this) {
      if (over) {
        return;
      }
      batches--;
      waiting -= cost(batch);
      last = error == null && ended && batches == 0;
      over = last || error != null;
      if (over) {
        queue.clear();
      }
      if (waiting <= mostWaiting || over) {
        ready = whenReady;
        whenReady = null;
      }
    }
    if (error != null) {
      listener.onError(error);
    } else if (last) {
      listener.onEnd();
    } else {
      layerMajor.ifPresent(LayerMajor::onFinished);
      listener.whenRoom(() -> submit(1));
    }
    if (ready != null) {
      ready.run();
    }
  }

  private List<ItemFeatures> split(List<TokenizedItem> batch, float[] values) {
    ItemFeatures[] features = new ItemFeatures[batch.size()];
    int start = 0;
    for (int i = 0; i < features.length; i++) {
      TokenizedItem item = batch.get(i);
      int end = start + computation.values(item);
      features[i] =
          new ItemFeatures(
              item.slot(),
              Arrays.copyOfRange(values, start, end),
              item.ids().length,
              item.truncatedTokens());
      start = end;
    }
    return List.of(features);
  }

  /** Frees what is held between steps. No step may run. */
  @Override
  public void close() {
    layerMajor.ifPresent(LayerMajor::close);
  }

  private final class Passed implements LayerMajor.Listener {
    @Override
    public void onPassed(List<TokenizedItem> batch, Callable<float[]> features) {
      synchronized (FeatureStream.this) {
        if (over) {
          return;
        }
        queue.add(new Work(batch, features));
      }
      submit(0);
    }

    @Override
    public void onError(Throwable error) {
      done(List.of(), error);
    }
  }
}

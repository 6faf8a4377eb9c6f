package dev.graft.server.extraction;

import dev.graft.server.backbones.Backbone;
import dev.graft.server.torch.Lanes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;

/**
 * Computes features of a stream of items. Items are added by one thread at a time; results come on
 * the lanes' threads, batch by batch in any order, several batches at a time.
 *
 * <p>Batches wait here, and only a few are with the lanes: each makes room for the next when its
 * results have room. So a client that does not read costs a few batches' results and no more,
 * however many it asked for.
 */
public final class FeatureStream {
  /** What may wait before the caller is asked to wait, in batches for each lane. */
  private static final int WAITING_BATCHES = 48;

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

  private final BatchComputation computation;
  private final Lanes.Turns turns;
  private final Listener listener;
  private final Batcher batcher;
  private final long mostWaiting;

  /** Batches that are not submitted. Guarded by this. */
  private final Queue<List<TokenizedItem>> queue = new ArrayDeque<>();

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
    this.batcher = batcher(extraction.tokensPerBatch(), spec, backbone.info().hiddenSize());
    this.mostWaiting = (long) WAITING_BATCHES * extraction.lanes() * extraction.tokensPerBatch();
    this.free = SUBMITTED_BATCHES * extraction.lanes();
  }

  private static Batcher batcher(int tokensPerBatch, FeatureSpec spec, int hiddenSize) {
    int rows = Math.max(1, RESULT_BYTES / (Float.BYTES * hiddenSize));
    boolean perToken = spec.pooling() == Pooling.NONE;
    return new Batcher(perToken ? Math.min(tokensPerBatch, rows) : tokensPerBatch, rows);
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
      queue.addAll(more);
      batches += more.size();
      more.forEach(batch -> waiting += cost(batch));
    }
    submit(0);
  }

  private static long cost(List<TokenizedItem> batch) {
    return batch.stream().mapToLong(item -> item.ids().length + (long) ITEM_COST).sum();
  }

  /** Submits batches as far as allowed, which is so many more now. */
  private void submit(int more) {
    synchronized (this) {
      free += more;
    }
    for (List<TokenizedItem> next = next(); next != null; next = next()) {
      List<TokenizedItem> batch = next;
      turns.submit(
          () -> {
            listener.onFeatures(split(batch, computation.features(batch)));
            return true;
          },
          (done, error) -> done(batch, error));
    }
  }

  private synchronized List<TokenizedItem> next() {
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
}

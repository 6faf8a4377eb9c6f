package dev.graft.server.extraction;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.Backbone;
import dev.graft.server.backbones.TokenBatch;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.TorchDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Computes features of a stream of items. Items are added by one thread at a time; results come on
 * the lanes' threads, batch by batch in any order, one batch at a time.
 */
public final class FeatureStream {
  /**
   * Tokens that may wait for a lane before the caller is asked to wait, in batches for each lane.
   */
  private static final int WAITING_BATCHES = 48;

  /** What happens with the results. */
  public interface Listener {
    /** Some items are done. */
    void onFeatures(List<ItemFeatures> features);

    /** All items that were added before {@link #end} are done. */
    void onEnd();

    /** A batch failed; nothing follows. */
    void onError(Throwable error);
  }

  private final Backbone backbone;
  private final FeatureSpec spec;
  private final TorchDevice device;
  private final Pooler pooler;
  private final FeatureCache cache;
  private final Lanes.Turns turns;
  private final Listener listener;
  private final Batcher batcher;
  private final byte[] keyPrefix;
  private final int mostWaiting;

  /** Batches that are not done. Guarded by this. */
  private int waiting;

  /** Guarded by this. */
  private boolean ended;

  /** Guarded by this. */
  private boolean over;

  /** Runs when there is room again; null when nobody waits. Guarded by this. */
  private Runnable whenReady;

  /**
   * @param tokensPerBatch most padded tokens of a batch
   */
  public FeatureStream(
      Backbone backbone,
      FeatureSpec spec,
      TorchDevice device,
      Pooler pooler,
      FeatureCache cache,
      Lanes lanes,
      Lanes.Turns turns,
      int tokensPerBatch,
      Listener listener) {
    this.backbone = backbone;
    this.spec = spec;
    this.device = device;
    this.pooler = pooler;
    this.cache = cache;
    this.turns = turns;
    this.listener = listener;
    this.batcher = new Batcher(tokensPerBatch);
    this.mostWaiting = WAITING_BATCHES * lanes.count();
    this.keyPrefix =
        BatchKey.prefix(
            spec,
            List.of(
                backbone.info().digest(),
                backbone.programText(spec.computeDtype()),
                pooler.text(),
                device.isCuda() ? "cuda" : "cpu"));
  }

  public void add(TokenizedItem item) {
    submit(batcher.add(item));
  }

  /** Computes what was added without waiting for more. */
  public void flush() {
    submit(batcher.flush());
  }

  /** No more items follow. */
  public void end() {
    flush();
    boolean done;
    synchronized (this) {
      ended = true;
      done = waiting == 0 && !over;
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

  private void submit(List<List<TokenizedItem>> batches) {
    synchronized (this) {
      if (over) {
        return;
      }
      waiting += batches.size();
    }
    for (List<TokenizedItem> batch : batches) {
      turns.submit(() -> features(batch), (values, error) -> done(batch, values, error));
    }
  }

  private void done(List<TokenizedItem> batch, float[] values, Throwable error) {
    Runnable ready = null;
    Throwable failure = error;
    boolean last = false;
    synchronized (this) {
      if (over) {
        return;
      }
      if (failure == null) {
        try {
          // Inside the lock: results are handed over one batch at a time, and none after the end.
          listener.onFeatures(split(batch, values));
        } catch (RuntimeException | Error e) { // whatever it is, the caller must learn of it
          failure = e;
        }
      }
      waiting--;
      last = failure == null && ended && waiting == 0;
      over = last || failure != null;
      if (waiting <= mostWaiting || over) {
        ready = whenReady;
        whenReady = null;
      }
    }
    if (failure != null) {
      listener.onError(failure);
    } else if (last) {
      listener.onEnd();
    }
    if (ready != null) {
      ready.run();
    }
  }

  /**
   * Features of a batch: {@code [batch, size]}, or with {@link Pooling#NONE} {@code [sum of
   * lengths, size]}.
   */
  private float[] features(List<TokenizedItem> batch) {
    String key = BatchKey.of(keyPrefix, batch);
    return cache
        .find(key)
        .orElseGet(
            () -> {
              float[] values = compute(batch);
              cache.put(key, values);
              return values;
            });
  }

  private float[] compute(List<TokenizedItem> batch) {
    List<int[]> typeIds = new ArrayList<>();
    batch.forEach(item -> typeIds.add(item.typeIds()));
    TokenBatch tokens = TokenBatch.of(batch.stream().map(TokenizedItem::ids).toList(), typeIds);
    try (Scope scope = Scope.open(device)) {
      return pooler
          .pool(
              scope,
              backbone.hiddenStates(scope, tokens, spec.layer(), spec.computeDtype()),
              tokens.lengths(),
              spec.pooling(),
              spec.normalize())
          .toFloats();
    } catch (GraftException e) {
      if (!e.reason().equals("OUT_OF_MEMORY") || batch.size() == 1) {
        throw e;
      }
    }
    // The device's memory did not suffice: the same in halves.
    float[] first = compute(batch.subList(0, batch.size() / 2));
    float[] second = compute(batch.subList(batch.size() / 2, batch.size()));
    float[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private List<ItemFeatures> split(List<TokenizedItem> batch, float[] values) {
    int size = backbone.info().hiddenSize();
    List<ItemFeatures> features = new ArrayList<>(batch.size());
    int start = 0;
    for (TokenizedItem item : batch) {
      int rows = spec.pooling() == Pooling.NONE ? item.ids().length : 1;
      int end = start + rows * size;
      features.add(
          new ItemFeatures(
              item.slot(),
              Arrays.copyOfRange(values, start, end),
              item.ids().length,
              item.truncatedTokens()));
      start = end;
    }
    return features;
  }
}

package dev.graft.server.extraction;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FeatureStreamTest {
  private static final FeatureSpec SPEC = FakeBackbone.spec(Pooling.LAST);

  private final FakeBackbone backbone = new FakeBackbone();
  private final Pooler pooler = new Pooler(TestDevice.DEVICE);
  private final FeatureCache cache = FeatureCache.inMemory(1 << 20);
  private final Lanes lanes = Lanes.start(2);
  private final Lanes.Turns turns = lanes.open();

  @AfterEach
  void stop() {
    lanes.close();
    pooler.close();
  }

  @Test
  void whoDoesNotReadCostsAFewBatches() {
    Results results = new Results();
    results.full = true;
    FeatureStream stream = stream(results);
    for (int i = 0; i < 100; i++) {
      stream.add(item(i, 4));
    }
    stream.end();
    // Two batches for each lane ask for room before any other is computed.
    results.awaitParked(4);
    assertThat(backbone.batches()).isEqualTo(4);
    results.read();
    results.end.join();
    assertThat(results.slots()).hasSize(100);
  }

  @Test
  void theCallerWaitsWhileTooMuchWaits() {
    Results results = new Results();
    results.full = true;
    FeatureStream stream = stream(results);
    // 48 batches of 4 tokens for each of two lanes, at 4 + 16 for an item.
    for (int i = 0; i < 400; i++) {
      stream.add(item(i, 4));
    }
    CompletableFuture<Void> ready = new CompletableFuture<>();
    stream.whenReady(() -> ready.complete(null));
    results.awaitParked(4);
    assertThat(ready).isNotDone();
    results.read();
    ready.join();
  }

  @Test
  void lanesHandOverAtTheSameTime() {
    // Each waits in its listener until the other is there too.
    CyclicBarrier both = new CyclicBarrier(2);
    Results results =
        new Results() {
          @Override
          public void onFeatures(List<ItemFeatures> features) {
            try {
              both.await();
            } catch (Exception e) {
              throw new AssertionError(e);
            }
            super.onFeatures(features);
          }
        };
    FeatureStream stream = stream(results);
    for (int i = 0; i < 8; i++) {
      stream.add(item(i, 4));
    }
    stream.end();
    results.end.join();
    assertThat(results.slots()).hasSize(8);
  }

  @Test
  void halvesAreNotCached() {
    backbone.mostItems = 2;
    BatchComputation computation = computation();
    List<TokenizedItem> batch = List.of(item(0, 1), item(1, 1), item(2, 1), item(3, 1));
    float[] features = computation.features(batch);
    assertThat(backbone.batches()).isEqualTo(3);
    assertThat(computation.features(batch)).isEqualTo(features);
    assertThat(backbone.batches()).isEqualTo(6);
    backbone.mostItems = 4;
    assertThat(computation.features(batch)).isEqualTo(features);
    computation.features(batch);
    assertThat(backbone.batches()).isEqualTo(7);
  }

  @Test
  void weightsThatDoNotFitAreTriedOnce() {
    backbone.fits = false;
    Results results = new Results();
    FeatureStream stream = stream(results);
    for (int i = 0; i < 2; i++) {
      stream.add(item(i, 1));
    }
    stream.end();
    Throwable error = results.end.handle((done, problem) -> problem).join();
    assertThat(error).isInstanceOf(GraftException.class);
    assertThat(backbone.loads()).isEqualTo(1);
    assertThat(backbone.batches()).isZero();
  }

  private Extraction extraction() {
    return new Extraction(TestDevice.DEVICE, pooler, cache, lanes.count(), 4);
  }

  private BatchComputation computation() {
    return new BatchComputation(extraction(), backbone, SPEC);
  }

  private FeatureStream stream(Results results) {
    return new FeatureStream(extraction(), backbone, SPEC, turns, results);
  }

  private static TokenizedItem item(long slot, int tokens) {
    int[] ids = new int[tokens];
    ids[0] = (int) slot;
    return new TokenizedItem(slot, ids, null, 0);
  }

  /** Collects results; while it is full, whoever asks for room waits for {@link #read}. */
  private static class Results implements FeatureStream.Listener {
    final CompletableFuture<Void> end = new CompletableFuture<>();
    private final ConcurrentLinkedQueue<ItemFeatures> features = new ConcurrentLinkedQueue<>();

    /** Guarded by this. */
    private final List<Runnable> parked = new ArrayList<>();

    private boolean full;

    @Override
    public void onFeatures(List<ItemFeatures> batch) {
      features.addAll(batch);
    }

    @Override
    public void onEnd() {
      end.complete(null);
    }

    @Override
    public void onError(Throwable error) {
      end.completeExceptionally(error);
    }

    @Override
    public void whenRoom(Runnable action) {
      synchronized (this) {
        if (full) {
          parked.add(action);
          notifyAll();
          return;
        }
      }
      action.run();
    }

    synchronized void awaitParked(int count) {
      while (parked.size() < count) {
        try {
          wait();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
    }

    void read() {
      List<Runnable> actions;
      synchronized (this) {
        full = false;
        actions = List.copyOf(parked);
        parked.clear();
      }
      actions.forEach(Runnable::run);
    }

    List<Long> slots() {
      TreeMap<Long, ItemFeatures> bySlot = new TreeMap<>();
      features.forEach(item -> bySlot.put(item.slot(), item));
      return List.copyOf(bySlot.keySet());
    }
  }
}

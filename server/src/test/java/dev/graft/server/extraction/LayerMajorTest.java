package dev.graft.server.extraction;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.backbones.Backbone;
import dev.graft.server.backbones.Backbones;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.TestDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks made on demand: the same features, each block once for a window, all freed. */
class LayerMajorTest {
  private static final Kernels KERNELS =
      new Kernels(
          List.of(new Kernels.Measured(ComputeDtype.FP32, TestDevice.kernel(Kernel.MKL), 1)));
  private static final int TOKENS_PER_BATCH = 32;

  private final Pooler pooler = new Pooler(TestDevice.DEVICE);
  private final Lanes lanes = Lanes.start(2);
  private final Lanes.Turns turns = lanes.open();

  @AfterEach
  void stop() {
    lanes.close();
    pooler.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama_gqa", "bert", "gpt2"})
  void featuresAreThoseOfTheWholeModel(String model) {
    List<TokenizedItem> items = items(120);
    try (Backbone whole = load(model, Long.MAX_VALUE);
        CountingBackbone onDemand = new CountingBackbone(load(model, 1000))) {
      for (Pooling pooling : List.of(Pooling.MEAN, Pooling.NONE)) {
        for (int layer : new int[] {0, whole.info().blocks()}) {
          FeatureSpec spec = new FeatureSpec(pooling, layer, false, ComputeDtype.FP32, 128, false);
          Map<Long, float[]> expected = features(whole, spec, items, noCache());
          assertThat(features(onDemand, spec, items, noCache()))
              .as("%s of layer %d", pooling, layer)
              .usingRecursiveComparison()
              .isEqualTo(expected);
          assertThat(onDemand.live()).isZero();
        }
      }
      assertThat(onDemand.mostLive()).isBetween(1, 3);
    }
  }

  @Test
  void eachBlockIsMadeOnceForAWindow() {
    try (CountingBackbone backbone = new CountingBackbone(load("llama_gqa", 1000))) {
      int blocks = backbone.info().blocks();
      FeatureSpec spec = spec(blocks);
      // Some seven batches: less than the first window of the batcher.
      features(backbone, spec, items(20), noCache());
      assertThat(backbone.made()).isEqualTo(IntStream.range(0, blocks).boxed().toList());
    }
  }

  @Test
  void whatComesWhileTheFirstBlockIsMadeJoinsTheWindow() {
    try (Backbone whole = load("llama_gqa", Long.MAX_VALUE);
        CountingBackbone backbone = new CountingBackbone(load("llama_gqa", 1000))) {
      int blocks = backbone.info().blocks();
      CountDownLatch added = new CountDownLatch(1);
      backbone.whenMaking = () -> await(added);
      Results results = new Results();
      // Three windows of the batcher.
      FeatureStream stream = stream(backbone, spec(blocks), results, noCache());
      items(120).forEach(stream::add);
      stream.end();
      added.countDown();
      results.end.orTimeout(60, TimeUnit.SECONDS).join();
      assertThat(backbone.made()).isEqualTo(IntStream.range(0, blocks).boxed().toList());
      assertThat(results.features)
          .usingRecursiveComparison()
          .isEqualTo(features(whole, spec(blocks), items(120), noCache()));
    }
  }

  @Test
  void whatIsCachedNeedsNoBlock() {
    FeatureCache cache = FeatureCache.inMemory(1 << 20);
    try (Backbone whole = load("bert", Long.MAX_VALUE);
        CountingBackbone onDemand = new CountingBackbone(load("bert", 1000))) {
      FeatureSpec spec = spec(whole.info().blocks());
      Map<Long, float[]> expected = features(whole, spec, items(40), cache);
      assertThat(features(onDemand, spec, items(40), cache))
          .usingRecursiveComparison()
          .isEqualTo(expected);
      assertThat(onDemand.made()).isEmpty();
    }
  }

  @Test
  void whatIsCachedDoesNotHoldUpTheRest() {
    try (Backbone whole = load("bert", Long.MAX_VALUE);
        CountingBackbone onDemand = new CountingBackbone(load("bert", 1000))) {
      FeatureSpec spec = spec(whole.info().blocks());
      long featureBytes = 4L * whole.info().hiddenSize();
      // Of one window the last batches stay, which are embedded when the first wait for blocks.
      for (int kept = 1; kept < 40; kept++) {
        FeatureCache cache = FeatureCache.inMemory(kept * featureBytes);
        Map<Long, float[]> expected = features(whole, spec, items(40), cache);
        assertThat(features(onDemand, spec, items(40), cache))
            .usingRecursiveComparison()
            .isEqualTo(expected);
      }
    }
  }

  @Test
  void aFailureEndsTheStreamAndNothingStays() {
    try (CountingBackbone backbone = new CountingBackbone(load("llama_gqa", 1000))) {
      IllegalStateException failure = new IllegalStateException("no such block");
      backbone.whenMaking =
          () -> {
            if (backbone.made().size() == 2) {
              throw failure;
            }
          };
      Results results = new Results();
      FeatureStream stream = stream(backbone, spec(3), results, noCache());
      items(40).forEach(stream::add);
      stream.end();
      assertThat(results.end.handle((done, error) -> error).join()).isSameAs(failure);
      free(stream);
      assertThat(backbone.live()).isZero();
    }
  }

  @Test
  void aCancelledCallLeavesNothing() throws InterruptedException {
    try (CountingBackbone backbone = new CountingBackbone(load("llama_gqa", 1000))) {
      CountDownLatch making = new CountDownLatch(2);
      CountDownLatch cancelled = new CountDownLatch(1);
      backbone.whenMaking =
          () -> {
            making.countDown();
            if (making.getCount() == 0) {
              await(cancelled);
            }
          };
      FeatureStream stream = stream(backbone, spec(3), new Results(), noCache());
      items(40).forEach(stream::add);
      stream.end();
      making.await();
      CompletableFuture<Void> freed = new CompletableFuture<>();
      turns.closeAndThen(
          () -> {
            stream.close();
            freed.complete(null);
          });
      cancelled.countDown();
      freed.join();
      assertThat(backbone.live()).isZero();
    }
  }

  private void free(FeatureStream stream) {
    CompletableFuture<Void> freed = new CompletableFuture<>();
    turns.closeAndThen(
        () -> {
          stream.close();
          freed.complete(null);
        });
    freed.join();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static FeatureSpec spec(int layer) {
    return new FeatureSpec(Pooling.LAST, layer, false, ComputeDtype.FP32, 128, false);
  }

  private static FeatureCache noCache() {
    return FeatureCache.inMemory(0);
  }

  private static List<TokenizedItem> items(int count) {
    Random random = new Random(1);
    List<TokenizedItem> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] ids = random.ints(1 + random.nextInt(12), 3, 100).toArray();
      items.add(new TokenizedItem(i, ids, null, 0));
    }
    return items;
  }

  private Map<Long, float[]> features(
      Backbone backbone, FeatureSpec spec, List<TokenizedItem> items, FeatureCache cache) {
    Results results = new Results();
    FeatureStream stream = stream(backbone, spec, results, cache);
    items.forEach(stream::add);
    stream.end();
    results.end.orTimeout(60, TimeUnit.SECONDS).join();
    return results.features;
  }

  private FeatureStream stream(
      Backbone backbone, FeatureSpec spec, Results results, FeatureCache cache) {
    Extraction extraction =
        new Extraction(TestDevice.DEVICE, pooler, cache, lanes.count(), TOKENS_PER_BATCH);
    return new FeatureStream(extraction, backbone, spec, turns, results);
  }

  private static Backbone load(String model, long weightsMemoryBytes) {
    Path directory = Path.of("src/test/resources/golden").resolve(model);
    return Backbones.load(
        Checkpoint.open(directory), TestDevice.DEVICE, KERNELS, weightsMemoryBytes);
  }

  private static final class Results implements FeatureStream.Listener {
    final CompletableFuture<Void> end = new CompletableFuture<>();
    final Map<Long, float[]> features = new ConcurrentHashMap<>();

    @Override
    public void onFeatures(List<ItemFeatures> batch) {
      batch.forEach(item -> features.put(item.slot(), item.values()));
    }

    @Override
    public void onEnd() {
      end.complete(null);
    }

    @Override
    public void onError(Throwable error) {
      end.completeExceptionally(error);
    }
  }
}

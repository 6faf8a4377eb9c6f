package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.GraftRpcException;
import dev.graft.client.Items;
import dev.graft.client.Tensors;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.Activation;
import dev.graft.v1.Backbone;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.IntervalStrategy;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Objective;
import dev.graft.v1.Overlength;
import dev.graft.v1.Pooling;
import dev.graft.v1.Probabilities;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainedProjector;
import dev.graft.v1.TrainingArguments;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What a worker does, seen from a client; the same over every transport. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class Scenarios {
  private WorkerUnderTest worker;
  private GraftClient client;

  abstract WorkerUnderTest start(WorkerOptions options);

  private static WorkerOptions options() {
    return new WorkerOptions().modelRoots(List.of(TinyModel.ROOT)).lanes(2).tokensPerBatch(128);
  }

  @BeforeAll
  void startWorker() {
    worker = start(options());
    client = worker.client();
  }

  @AfterAll
  void stopWorker() {
    client.close();
    worker.close();
  }

  @Test
  void describe() {
    DescribeWorkerResponse description = client.describe();
    assertThat(description.getDevice().getName()).isEqualTo(WorkerUnderTest.DEVICE);
    assertThat(description.getDevice().getLanes()).isEqualTo(2);
    assertThat(description.getSupportedArchitecturesList())
        .contains("llama", "bert", "gpt2", "qwen3");
    assertThat(description.getMeasuredKernelsList()).isNotEmpty();
    assertThat(description.getLimits().getMaxMessageBytes()).isEqualTo(1 << 20);
    assertThat(description.getVersion()).doesNotContain("$");
  }

  @Test
  void extractMatchesTheReferenceUnderEitherPadding() {
    int[] lengths = TinyModel.goldenLengths();
    float[] golden = TinyModel.goldenHiddenStates();
    int size = golden.length / lengths.length / 12;
    for (String side : List.of("right", "left")) {
      Map<Long, ItemResult> results =
          extract(TinyModel.features(Pooling.POOLING_LAST), TinyModel.goldenItems(side));
      for (int row = 0; row < lengths.length; row++) {
        float[] expected = new float[size];
        System.arraycopy(golden, (row * 12 + lengths[row] - 1) * size, expected, 0, size);
        assertClose(Tensors.toFloats(results.get((long) row).getFeatures()), expected, 1e-5);
        assertThat(results.get((long) row).getTokens()).isEqualTo(lengths[row]);
      }
    }
  }

  @Test
  void extractWithoutPoolingGivesARowForEachToken() {
    float[] golden = TinyModel.goldenHiddenStates();
    int[] lengths = TinyModel.goldenLengths();
    int size = golden.length / lengths.length / 12;
    Map<Long, ItemResult> results =
        extract(TinyModel.features(Pooling.POOLING_NONE), TinyModel.goldenItems("left"));
    for (int row = 0; row < lengths.length; row++) {
      float[] expected = new float[lengths[row] * size];
      System.arraycopy(golden, row * 12 * size, expected, 0, expected.length);
      assertThat(results.get((long) row).getFeatures().getShapeList())
          .containsExactly((long) lengths[row], (long) size);
      assertClose(Tensors.toFloats(results.get((long) row).getFeatures()), expected, 1e-5);
    }
  }

  @Test
  void extractBatchesEqualSingles() {
    List<Item> items = TinyModel.labelled(60, 3);
    Map<Long, ItemResult> together = extract(TinyModel.features(Pooling.POOLING_MEAN), items);
    for (Item item : items.subList(0, 8)) {
      Map<Long, ItemResult> alone =
          extract(TinyModel.features(Pooling.POOLING_MEAN), List.of(item));
      assertClose(
          Tensors.toFloats(together.get(item.getNumber()).getFeatures()),
          Tensors.toFloats(alone.get(item.getNumber()).getFeatures()),
          1e-5);
    }
  }

  @Test
  void extractGivesTheSameBytesWhateverElseRunsAndWhetherCachedOrNot() {
    List<Item> items = TinyModel.labelled(300, 4);
    Map<Long, ItemResult> first = extract(TinyModel.features(Pooling.POOLING_MAX), items);
    Map<Long, ItemResult> cached = extract(TinyModel.features(Pooling.POOLING_MAX), items);
    assertThat(cached).isEqualTo(first);
    try (WorkerUnderTest other = start(options().cacheMemoryBytes(0).lanes(1));
        GraftClient otherClient = other.client()) {
      CompletableFuture<?> noise =
          otherClient.extractAsync(
              ExtractJob.of(
                  ExtractSpec.newBuilder()
                      .setFeatures(TinyModel.features(Pooling.POOLING_LAST))
                      .build()),
              TinyModel.labelled(500, 5));
      Map<Long, ItemResult> elsewhere =
          extract(otherClient, TinyModel.features(Pooling.POOLING_MAX), items);
      noise.join();
      assertThat(elsewhere).isEqualTo(first);
    }
  }

  @Test
  void extractSaysWhatItCut() {
    List<Item> items = List.of(Items.tokenIds(0, 1, 2, 3, 4, 5, 6), Items.tokenIds(1, 1, 2));
    Map<Long, ItemResult> results =
        extract(TinyModel.features(Pooling.POOLING_LAST).setMaxTokens(4), items);
    assertThat(results.get(0L).getTokens()).isEqualTo(4);
    assertThat(results.get(0L).getTruncatedTokens()).isEqualTo(2);
    assertThat(results.get(1L).getTruncatedTokens()).isZero();
    assertThat(results.get(0L).getFeatures())
        .isEqualTo(
            extract(
                    TinyModel.features(Pooling.POOLING_LAST),
                    List.of(Items.tokenIds(0, 1, 2, 3, 4), Items.tokenIds(1, 1, 2)))
                .get(0L)
                .getFeatures());
    GraftRpcException refused =
        failure(
            () ->
                extract(
                    TinyModel.features()
                        .setMaxTokens(4)
                        .setOverlength(Overlength.OVERLENGTH_REJECT),
                    items));
    assertThat(refused.reason()).isEqualTo("ITEM_TOO_LONG");
    assertThat(refused.metadata()).containsEntry("item", "0");
  }

  @Test
  void badRequestsAreRefusedWithTheirReason() {
    assertReason("BACKBONE_NOT_FOUND", FeatureSpec.newBuilder().setBackbone(path("no_such_model")));
    assertReason("OUTSIDE_MODEL_ROOTS", FeatureSpec.newBuilder().setBackbone(path("../../java")));
    assertReason("OUTSIDE_MODEL_ROOTS", FeatureSpec.newBuilder().setBackbone(path("/etc")));
    assertReason("INVALID_SPEC", TinyModel.features().setLayer(77));
    assertReason("INVALID_SPEC", TinyModel.features().setLayer(-77));
    assertReason("INVALID_SPEC", TinyModel.features().setMaxTokens(1_000_000));
    assertReason("INVALID_SPEC", TinyModel.features().setPoolingValue(99));
    assertReason(
        "INVALID_ITEM",
        TinyModel.features(),
        Items.of(0, dev.graft.v1.Content.getDefaultInstance()));
    assertReason("INVALID_ITEM", TinyModel.features(), Items.tokenIds(0));
    assertReason("TOKEN_OUT_OF_RANGE", TinyModel.features(), Items.tokenIds(0, 1, 99_999));
    assertReason("NO_TOKENIZER", TinyModel.features(), Items.text(0, "hello"));
    assertReason("INVALID_ITEM", FeatureSpec.newBuilder(), Items.text(0, "hello"));
    assertReason("FEATURE_SIZE", TinyModel.features(), Items.features(0, 1, 2, 3));
    assertReason("INVALID_TENSOR", TinyModel.features(), Items.features(0, Float.NaN));
    awaitNoCalls(client);
  }

  @Test
  void trainLearnsAndProvesThatTheBackboneStayedFrozen() {
    List<TrainEvent> events = train(client, job(arguments().setNumTrainEpochs(15).build()));
    assertThat(events.get(0)).isInstanceOf(TrainEvent.Ready.class);
    TrainEvent.Ready ready = (TrainEvent.Ready) events.get(0);
    assertThat(ready.ready().getAudit().getTrainableParameters()).isEqualTo(3 * 48 + 3);
    assertThat(ready.ready().getSpec().getArguments().getAdamBeta2()).isEqualTo(0.999);
    List<Double> losses =
        events.stream()
            .filter(TrainEvent.Log.class::isInstance)
            .map(event -> ((TrainEvent.Log) event).entry().getLoss())
            .toList();
    assertThat(losses.get(losses.size() - 1)).isLessThan(losses.get(0) / 2);
    TrainEvent.Completed completed = completed(events);
    assertThat(completed.result().getAudit()).isEqualTo(ready.ready().getAudit());
    assertThat(completed.result().getAudit().getFrozenDigest()).hasSize(64);
    TrainEvent.Evaluated last = last(events, TrainEvent.Evaluated.class);
    assertThat(last.evaluation().getMetricsMap().get("eval_accuracy")).isGreaterThan(0.6);
  }

  @Test
  void trainResumesFromAnyCheckpointToTheSameBytes() {
    TrainSpec spec = spec(arguments().setSaveSteps(7).build(), mlp());
    TrainJob whole =
        TrainJob.of(spec, TinyModel.labelled(90, 1)).withEvalItems(TinyModel.labelled(30, 2));
    List<TrainEvent> events = train(client, whole);
    ByteString projector = completed(events).projectorFile();
    List<TrainEvent.CheckpointSaved> checkpoints = all(events, TrainEvent.CheckpointSaved.class);
    assertThat(checkpoints).hasSizeGreaterThanOrEqualTo(4);
    for (int i :
        new int[] {0, checkpoints.size() / 2, checkpoints.size() - 2, checkpoints.size() - 1}) {
      List<TrainEvent> resumed = train(client, whole.withCheckpoint(checkpoints.get(i).file()));
      assertThat(completed(resumed).projectorFile()).isEqualTo(projector);
      List<TrainEvent.CheckpointSaved> later = all(resumed, TrainEvent.CheckpointSaved.class);
      assertThat(later).isEqualTo(checkpoints.subList(i + 1, checkpoints.size()));
    }
    TrainJob other =
        TrainJob.of(spec, TinyModel.labelled(89, 1)).withEvalItems(TinyModel.labelled(30, 2));
    assertThat(
            failure(() -> train(client, other.withCheckpoint(checkpoints.get(0).file()))).reason())
        .isEqualTo("WRONG_CHECKPOINT");
  }

  @Test
  void concurrentTrainingsEqualTheirSoloRuns() {
    TrainJob first =
        TrainJob.of(
            spec(arguments().setSeed(1).clearEvalStrategy().build(), mlp()),
            TinyModel.labelled(90, 11));
    TrainJob second =
        TrainJob.of(
            spec(arguments().setSeed(2).clearEvalStrategy().build(), mlp()),
            TinyModel.labelled(90, 12));
    ByteString firstAlone = client.trainAsync(first).join().projectorFile();
    ByteString secondAlone = client.trainAsync(second).join().projectorFile();
    CompletableFuture<TrainEvent.Completed> firstTogether = client.trainAsync(first);
    CompletableFuture<TrainEvent.Completed> secondTogether = client.trainAsync(second);
    assertThat(firstTogether.join().projectorFile()).isEqualTo(firstAlone);
    assertThat(secondTogether.join().projectorFile())
        .isEqualTo(secondAlone)
        .isNotEqualTo(firstAlone);
  }

  @Test
  void trainOnPrecomputedFeaturesEqualsTrainOnTheBackbone() {
    List<Item> items = TinyModel.labelled(90, 1);
    Map<Long, ItemResult> features = extract(TinyModel.features(), items);
    List<Item> precomputed = new ArrayList<>();
    for (Item item : items) {
      precomputed.add(
          Items.withClass(
              Items.features(
                  item.getNumber(), Tensors.toFloats(features.get(item.getNumber()).getFeatures())),
              item.getLabel().getClassIndex()));
    }
    TrainingArguments arguments = arguments().clearEvalStrategy().build();
    TrainSpec onFeatures = spec(arguments, linear()).toBuilder().clearFeatures().build();
    assertThat(client.trainAsync(TrainJob.of(onFeatures, precomputed)).join().projectorFile())
        .isEqualTo(
            client
                .trainAsync(TrainJob.of(spec(arguments, linear()), items))
                .join()
                .projectorFile());
  }

  @Test
  void badTrainingsAreRefusedWithTheirReason() {
    TrainSpec good = spec(arguments().clearEvalStrategy().build(), linear());
    List<Item> items = TinyModel.labelled(5, 1);
    assertTrainReason("EMPTY_DATASET", TrainJob.of(good, List.of()));
    assertTrainReason(
        "LABEL_OUT_OF_RANGE", TrainJob.of(good, List.of(Items.withClass(items.get(0), 3))));
    assertTrainReason("LABEL_MISSING", TrainJob.of(good, List.of(Items.tokenIds(0, 1, 2))));
    assertTrainReason("LABEL_KIND", TrainJob.of(good, List.of(Items.withValues(items.get(0), 1))));
    assertTrainReason(
        "INVALID_FIELD",
        TrainJob.of(
            good.toBuilder()
                .setArguments(TrainingArguments.newBuilder().setLearningRate(-1))
                .build(),
            items));
    assertTrainReason(
        "INVALID_SPEC", TrainJob.of(good.toBuilder().clearObjective().build(), items));
    assertTrainReason(
        "NOTHING_TO_TRAIN", TrainJob.of(good.toBuilder().clearProjector().build(), items));
    assertTrainReason(
        "INVALID_SPEC",
        TrainJob.of(
            good.toBuilder().setFeatures(TinyModel.features(Pooling.POOLING_NONE)).build(), items));
    assertTrainReason(
        "FROZEN_BACKBONE",
        TrainJob.of(good.toBuilder().addBackboneModules("layers.0").build(), items));
    assertTrainReason(
        "INVALID_SPEC",
        TrainJob.of(good.toBuilder().addBackboneModules("layers.99").build(), items));
    assertTrainReason(
        "WRONG_WEIGHTS",
        TrainJob.of(good, items).withInitialProjector(ByteString.copyFromUtf8("nonsense")));
    assertTrainReason(
        "WRONG_CHECKPOINT",
        TrainJob.of(good, items).withCheckpoint(ByteString.copyFromUtf8("nonsense")));
    assertTrainReason(
        "ITEM_TOO_LONG",
        TrainJob.of(
            good.toBuilder()
                .setFeatures(
                    TinyModel.features()
                        .setMaxTokens(1)
                        .setOverlength(Overlength.OVERLENGTH_REJECT))
                .build(),
            items));
    awaitNoCalls(client);
  }

  @Test
  void diverging() {
    TrainJob job =
        TrainJob.of(
            spec(
                arguments().clearEvalStrategy().setLearningRate(1e38).setMaxGradNorm(0).build(),
                mlp()),
            TinyModel.labelled(90, 1));
    GraftRpcException stopped = failure(() -> train(client, job));
    assertThat(stopped.reason()).isEqualTo("NON_FINITE_LOSS");
    assertThat(stopped.code()).isEqualTo(Status.Code.ABORTED);
    assertThat(stopped.lastCheckpoint()).isPresent();
  }

  @Test
  void predictionsComeFromTheTrainedProjector() {
    List<TrainEvent> events = train(client, job(arguments().build()));
    ByteString file = completed(events).projectorFile();
    ExtractSpec.Builder spec =
        ExtractSpec.newBuilder()
            .setFeatures(TinyModel.features())
            .setProjector(
                TrainedProjector.newBuilder()
                    .setProjector(linear())
                    .setFileBytes(file.size())
                    .setProbabilities(Probabilities.PROBABILITIES_SOFTMAX));
    List<Item> items = TinyModel.labelled(30, 2);
    int right = 0;
    for (ItemResult result :
        client
            .extractAsync(ExtractJob.of(spec.build()).withProjectorFile(file), items)
            .join()
            .results()) {
      float[] logits = Tensors.toFloats(result.getLogits());
      float[] probabilities = Tensors.toFloats(result.getProbabilities());
      assertThat(logits).hasSize(3);
      assertThat((double) probabilities[0] + probabilities[1] + probabilities[2])
          .isBetween(1 - 1e-5, 1 + 1e-5);
      int best = 0;
      for (int i = 1; i < 3; i++) {
        best = logits[i] > logits[best] ? i : best;
      }
      right += best == items.get((int) result.getNumber()).getLabel().getClassIndex() ? 1 : 0;
    }
    double accuracy =
        last(events, TrainEvent.Evaluated.class).evaluation().getMetricsMap().get("eval_accuracy");
    assertThat(right / 30.0).isBetween(accuracy - 1e-9, accuracy + 1e-9);
  }

  @Test
  void aClientThatVanishesLeavesNothingBehind() throws Exception {
    for (int i = 0; i < 3; i++) {
      TrainingCall call =
          client.train(
              TrainJob.of(
                      spec(arguments().setNumTrainEpochs(1e6).setLoggingSteps(1).build(), linear()),
                      TinyModel.labelled(90, 1))
                  .withEvalItems(TinyModel.labelled(30, 2)));
      while (!(call.next() instanceof TrainEvent.Log)) {}
      call.cancel();
      call.close();
    }
    awaitNoCalls(client);
    assertThat(train(client, job(arguments().build()))).isNotEmpty();
  }

  @Test
  void aCheckpointComesWhenAskedFor() {
    TrainJob job =
        TrainJob.of(
            spec(
                arguments().clearEvalStrategy().setNumTrainEpochs(1e6).setLoggingSteps(1).build(),
                linear()),
            TinyModel.labelled(90, 1));
    try (TrainingCall call = client.train(job)) {
      TrainEvent event = call.next();
      while (!(event instanceof TrainEvent.Log)) {
        event = call.next();
      }
      call.requestCheckpoint();
      while (!(event instanceof TrainEvent.CheckpointSaved)) {
        event = call.next();
      }
      assertThat(((TrainEvent.CheckpointSaved) event).file()).isNotEqualTo(ByteString.EMPTY);
    }
  }

  @Test
  void aDrainingWorkerHandsOverItsTrainings() throws Exception {
    TrainJob job =
        TrainJob.of(
            spec(arguments().clearEvalStrategy().setNumTrainEpochs(400).build(), mlp()),
            TinyModel.labelled(90, 1));
    ByteString expected = client.trainAsync(job).join().projectorFile();
    GraftRpcException drained;
    try (WorkerUnderTest leaving = start(options().drainGrace(Duration.ofMillis(1)));
        GraftClient itsClient = leaving.client()) {
      TrainingCall call = itsClient.train(job);
      while (!(call.next() instanceof TrainEvent.Log)) {}
      CompletableFuture<Void> drain =
          CompletableFuture.runAsync(
              () -> {
                try {
                  leaving.drain();
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
              });
      drained = failure(() -> call.forEachRemaining(event -> {}));
      drain.join();
    }
    assertThat(drained.reason()).isEqualTo("WORKER_DRAINING");
    assertThat(drained.isRetryable()).isTrue();
    ByteString checkpoint = drained.lastCheckpoint().orElseThrow().file();
    assertThat(client.trainAsync(job.withCheckpoint(checkpoint)).join().projectorFile())
        .isEqualTo(expected);
  }

  @Test
  void aDrainingWorkerIsNotHealthyAndTakesNoCalls() throws Exception {
    try (WorkerUnderTest leaving = start(options())) {
      HealthGrpc.HealthBlockingStub health = HealthGrpc.newBlockingStub(worker.channel());
      assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
          .isEqualTo(ServingStatus.SERVING);
      leaving.drain();
    }
    assertThat(client.describe().getDraining()).isFalse();
  }

  @Test
  void aChangedBackboneIsFoundOut(@TempDir Path root) throws Exception {
    Path copy = Files.createDirectory(root.resolve("model"));
    try (var files = Files.list(TinyModel.ROOT.resolve(TinyModel.NAME))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    try (WorkerUnderTest other = start(options().modelRoots(List.of(root)));
        GraftClient otherClient = other.client()) {
      TrainSpec spec =
          spec(arguments().clearEvalStrategy().setNumTrainEpochs(2000).build(), linear())
              .toBuilder()
              .setFeatures(TinyModel.features().setBackbone(path("model")))
              .build();
      TrainingCall call = otherClient.train(TrainJob.of(spec, TinyModel.labelled(90, 1)));
      while (!(call.next() instanceof TrainEvent.Started)) {}
      byte[] bytes = Files.readAllBytes(copy.resolve("model.safetensors"));
      bytes[bytes.length - 1] ^= 1;
      Files.write(copy.resolve("model.safetensors"), bytes);
      assertThat(failure(() -> call.forEachRemaining(event -> {})).reason())
          .isEqualTo("BACKBONE_CHANGED");
    }
  }

  private static Backbone.Builder path(String path) {
    return Backbone.newBuilder().setPath(path);
  }

  private static TrainingArguments.Builder arguments() {
    return TrainingArguments.newBuilder()
        .setLearningRate(0.01)
        .setNumTrainEpochs(4)
        .setLoggingSteps(5)
        .setEvalStrategy(IntervalStrategy.INTERVAL_STRATEGY_EPOCH);
  }

  private static Projector linear() {
    return Projector.newBuilder().setKind(ProjectorKind.PROJECTOR_KIND_LINEAR).build();
  }

  private static Projector mlp() {
    return Projector.newBuilder()
        .setKind(ProjectorKind.PROJECTOR_KIND_MLP)
        .addHiddenSizes(16)
        .setActivation(Activation.ACTIVATION_GELU)
        .setDropout(0.25f)
        .setLayerNorm(true)
        .build();
  }

  private static TrainSpec spec(TrainingArguments arguments, Projector projector) {
    return TrainSpec.newBuilder()
        .setFeatures(TinyModel.features())
        .setProjector(projector)
        .setObjective(
            Objective.newBuilder().setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(3)))
        .setArguments(arguments)
        .build();
  }

  private static TrainJob job(TrainingArguments arguments) {
    return TrainJob.of(spec(arguments, linear()), TinyModel.labelled(90, 1))
        .withEvalItems(TinyModel.labelled(30, 2));
  }

  private static List<TrainEvent> train(GraftClient client, TrainJob job) {
    List<TrainEvent> events = new ArrayList<>();
    try (TrainingCall call = client.train(job)) {
      call.forEachRemaining(events::add);
    }
    return events;
  }

  private static TrainEvent.Completed completed(List<TrainEvent> events) {
    return (TrainEvent.Completed) events.get(events.size() - 1);
  }

  private static <T> T last(List<TrainEvent> events, Class<T> type) {
    List<T> all = all(events, type);
    return all.get(all.size() - 1);
  }

  private static <T> List<T> all(List<TrainEvent> events, Class<T> type) {
    return events.stream().filter(type::isInstance).map(type::cast).toList();
  }

  private Map<Long, ItemResult> extract(FeatureSpec.Builder features, List<Item> items) {
    return extract(client, features, items);
  }

  private static Map<Long, ItemResult> extract(
      GraftClient client, FeatureSpec.Builder features, List<Item> items) {
    Map<Long, ItemResult> results = new TreeMap<>();
    try (var call =
        client.extract(
            ExtractJob.of(ExtractSpec.newBuilder().setFeatures(features).build()), items)) {
      call.forEachRemaining(result -> assertThat(results.put(result.getNumber(), result)).isNull());
    }
    assertThat(results.keySet())
        .containsExactlyElementsOf(items.stream().map(Item::getNumber).sorted().toList());
    return Collections.unmodifiableMap(results);
  }

  private void assertReason(String reason, FeatureSpec.Builder features, Item... items) {
    List<Item> some = items.length == 0 ? List.of(Items.tokenIds(0, 1)) : List.of(items);
    GraftRpcException failure = failure(() -> extract(features, some));
    assertThat(failure.reason()).as(failure.getMessage()).isEqualTo(reason);
    assertThat(failure.getMessage()).isNotBlank();
  }

  private void assertTrainReason(String reason, TrainJob job) {
    GraftRpcException failure = failure(() -> train(client, job));
    assertThat(failure.reason()).as(failure.getMessage()).isEqualTo(reason);
  }

  private static GraftRpcException failure(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable action) {
    GraftRpcException failure = catchThrowableOfType(GraftRpcException.class, action);
    assertThat(failure).isNotNull();
    return failure;
  }

  /** The worker learns of a cancelled call a little later; polling ends as soon as it has. */
  private static void awaitNoCalls(GraftClient client) {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (client.describe().getActiveCalls() > 0) {
      assertThat(System.nanoTime()).isLessThan(end);
    }
  }

  static void assertClose(float[] actual, float[] expected, double tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    }
    assertThat(difference / largest).isLessThanOrEqualTo(tolerance);
  }
}

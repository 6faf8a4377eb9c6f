package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.training.Evaluation;
import dev.graft.server.training.Label;
import dev.graft.server.training.LogEntry;
import dev.graft.server.training.Objective;
import dev.graft.server.training.ProjectorSpec;
import dev.graft.server.training.TrainingArguments;
import dev.graft.server.training.TrainingProgress;
import dev.graft.server.training.TrainingSpec;
import dev.graft.server.training.TrainingStarted;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TrainJobTest {
  private final Heard heard = new Heard();
  private TestWorker worker = new TestWorker(TestWorker.GOLDEN);

  @AfterEach
  void closeWorker() {
    worker.close();
  }

  @Test
  void drainsAlthoughTheClientTakesNothing() throws Exception {
    heard.room = false;
    try (TrainJob job = job(TestWorker.ready(), Optional.empty(), Optional.empty())) {
      job.addTrain(item(0, new Content.Features(new float[] {1, 2})));
      job.end();
      heard.waitsForRoom.get(20, TimeUnit.SECONDS);
      job.drain();
      assertReason(heard.failure.get(20, TimeUnit.SECONDS), "WORKER_DRAINING");
      assertThat(heard.checkpoints).hasSize(1);
      heard.pending.forEach(Runnable::run); // the client takes something after all
      assertThat(heard.checkpoints).hasSize(1);
    }
  }

  @Test
  void progressIsToldAlthoughNothingIsLogged() throws Exception {
    heard.room = false;
    try (TrainJob job = job(TestWorker.ready(), Optional.empty(), Optional.empty())) {
      job.addTrain(item(0, new Content.Features(new float[] {1, 2})));
      job.end();
      heard.waitsForRoom.get(20, TimeUnit.SECONDS);
      assertThat(heard.progress).hasSize(1);
      assertThat(heard.progress.get(0).step()).isPositive();
    }
  }

  @Test
  void drainsAtOnceWhileFeaturesAreGathered() {
    try (TrainJob job = job(TestWorker.ready(), Optional.empty(), Optional.empty())) {
      job.drain();
      assertReason(heard.failure.getNow(null), "WORKER_DRAINING");
    }
  }

  @Test
  void resumesOnlyWithTheSameFeatures() throws Exception {
    byte[] checkpoint = checkpoint();
    for (int tokensPerBatch : new int[] {128, 64}) {
      worker.close();
      worker = new TestWorker(TestWorker.GOLDEN, tokensPerBatch, 1 << 20);
      Heard again = new Heard();
      try (TrainJob job =
          new TrainJob(
              worker.resources,
              TestWorker.on("bert"),
              spec(10_000_000),
              Optional.empty(),
              Optional.of(checkpoint),
              again)) {
        job.addTrain(item(0, new Content.TokenIds(new int[] {1, 2, 3}, null)));
        job.end();
        CompletableFuture.anyOf(again.started, again.failure).get(20, TimeUnit.SECONDS);
        if (tokensPerBatch == 128) {
          assertThat(again.failure).isNotDone();
        } else {
          assertReason(again.failure.getNow(null), "WRONG_CHECKPOINT");
        }
      }
    }
  }

  private byte[] checkpoint() throws Exception {
    heard.room = false;
    try (TrainJob job = job(TestWorker.on("bert"), Optional.empty(), Optional.empty())) {
      job.addTrain(item(0, new Content.TokenIds(new int[] {1, 2, 3}, null)));
      job.end();
      heard.waitsForRoom.get(20, TimeUnit.SECONDS);
      job.drain();
      heard.failure.get(20, TimeUnit.SECONDS);
    }
    return heard.checkpoints.get(0);
  }

  @Test
  void wrongFilesAreRefusedAtTheStart() {
    byte[] nonsense = {1, 2, 3};
    byte[] other =
        SafetensorsWriter.toBytes(
            List.of(TensorData.floats("weight", new float[4], 2, 2)), Map.of("format", "pt"));
    for (FeatureRequest request : List.of(TestWorker.ready(), TestWorker.on("bert"))) {
      assertReason(failure(request, Optional.of(nonsense), Optional.empty()), "WRONG_WEIGHTS");
      assertReason(failure(request, Optional.empty(), Optional.of(nonsense)), "WRONG_CHECKPOINT");
      assertReason(failure(request, Optional.empty(), Optional.of(other)), "WRONG_CHECKPOINT");
    }
    GraftException error = failure(TestWorker.on("bert"), Optional.of(other), Optional.empty());
    assertReason(error, "WRONG_WEIGHTS");
    assertThat(error).hasMessageContaining("[2, 48]");
  }

  private GraftException failure(
      FeatureRequest request, Optional<byte[]> initialProjector, Optional<byte[]> checkpoint) {
    return catchThrowableOfType(
        GraftException.class, () -> job(request, initialProjector, checkpoint).close());
  }

  @Test
  void trainAndEvalItemsShareTheirLimit() {
    worker.close();
    worker = new TestWorker(TestWorker.GOLDEN, 128, 400);
    try (TrainJob job = job(TestWorker.ready(), Optional.empty(), Optional.empty())) {
      job.addTrain(item(0, new Content.Features(new float[10])));
      job.addTrain(item(1, new Content.Features(new float[10])));
      GraftException error =
          catchThrowableOfType(
              GraftException.class,
              () -> job.addEval(item(0, new Content.Features(new float[10]))));
      assertReason(error, "DATASET_TOO_LARGE");
    }
  }

  @Test
  void aTrainingWaitsForTheMemoryOfOthers() {
    worker.close();
    worker = new TestWorker(TestWorker.GOLDEN, 128, 400);
    TrainItem item = item(0, new Content.Features(new float[10]));
    try (TrainJob later = job(TestWorker.ready(), Optional.empty(), Optional.empty())) {
      try (TrainJob earlier = job(TestWorker.ready(), Optional.empty(), Optional.empty())) {
        earlier.addTrain(item);
        earlier.addTrain(item(1, new Content.Features(new float[10])));
        assertReason(
            catchThrowableOfType(GraftException.class, () -> later.addTrain(item)),
            "FEATURE_MEMORY_FULL");
      }
      later.addEval(item);
    }
  }

  @Test
  void theProjectorsShapeIsKnownWhereNoLabelIsNeeded() {
    assertThat(shape(TestWorker.ready(), new Objective.CrossEntropy(3, List.of())))
        .isEqualTo(ProjectorSpec.linear(3));
    assertThat(shape(TestWorker.on("bert"), new Objective.InfoNce(0.05, false)))
        .isEqualTo(ProjectorSpec.linear(48));
    assertThat(shape(TestWorker.on("bert"), new Objective.MeanSquaredError()))
        .isEqualTo(ProjectorSpec.linear(0));
  }

  private ProjectorSpec shape(FeatureRequest request, Objective objective) {
    TrainingSpec spec =
        new TrainingSpec(
            ProjectorSpec.linear(0), objective, TrainingArguments.builder().maxSteps(1).build());
    try (TrainJob job =
        new TrainJob(worker.resources, request, spec, Optional.empty(), Optional.empty(), heard)) {
      return job.projector();
    }
  }

  @Test
  void labelsAreRefusedWithTheirPlace() {
    try (TrainJob job = job(TestWorker.ready(), Optional.empty(), Optional.empty())) {
      TrainItem unlabelled =
          new TrainItem(-1, new Content.Features(new float[1]), Optional.empty(), Optional.empty());
      GraftException error =
          catchThrowableOfType(GraftException.class, () -> job.addEval(unlabelled));
      assertReason(error, "LABEL_MISSING");
      assertThat(error.metadata())
          .containsEntry("item", "18446744073709551615")
          .containsEntry("field", "eval_items[18446744073709551615].label");
    }
  }

  @Test
  void filesThatVanishWhileItTrainsAreDataLoss(@TempDir Path root) throws Exception {
    Path model = Files.createDirectory(root.resolve("model"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(TestWorker.GOLDEN.resolve("bert").resolve(file), model.resolve(file));
    }
    worker.close();
    worker = new TestWorker(root);
    try (TrainJob job =
        new TrainJob(
            worker.resources,
            TestWorker.on("model"),
            spec(2),
            Optional.empty(),
            Optional.empty(),
            heard)) {
      job.addTrain(item(0, new Content.TokenIds(new int[] {1, 2, 3}, null)));
      heard.atStart = () -> delete(model.resolve("model.safetensors"));
      job.end();
      GraftException error = (GraftException) heard.failure.get(20, TimeUnit.SECONDS);
      assertReason(error, "BACKBONE_CHANGED");
      assertThat(error.category()).isEqualTo(GraftException.Category.DATA_LOSS);
    }
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private TrainJob job(
      FeatureRequest request, Optional<byte[]> initialProjector, Optional<byte[]> checkpoint) {
    return new TrainJob(
        worker.resources, request, spec(10_000_000), initialProjector, checkpoint, heard);
  }

  private static TrainingSpec spec(long steps) {
    return new TrainingSpec(
        ProjectorSpec.linear(0),
        new Objective.CrossEntropy(2, List.of()),
        TrainingArguments.builder().maxSteps(steps).build());
  }

  private static TrainItem item(long number, Content content) {
    return new TrainItem(
        number, content, Optional.empty(), Optional.of(new Label.ClassIndex(number % 2)));
  }

  private static void assertReason(Throwable error, String reason) {
    assertThat(error)
        .isInstanceOfSatisfying(
            GraftException.class, known -> assertThat(known.reason()).isEqualTo(reason));
  }

  /** What the job told. */
  private static final class Heard implements TrainJob.Listener {
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
    private final CompletableFuture<Void> started = new CompletableFuture<>();
    private final CompletableFuture<Void> waitsForRoom = new CompletableFuture<>();
    private final List<TrainingProgress> progress = new CopyOnWriteArrayList<>();
    private final List<byte[]> checkpoints = new CopyOnWriteArrayList<>();
    private final List<Runnable> pending = new CopyOnWriteArrayList<>();
    private volatile boolean room = true;
    private volatile Runnable atStart = () -> {};

    @Override
    public void onExtraction(TrainJob.ExtractionProgress progress) {}

    @Override
    public void onStarted(TrainingStarted training, TrainJob.ExtractionProgress progress) {
      atStart.run();
      started.complete(null);
    }

    @Override
    public void onTraining(TrainingProgress newProgress) {
      progress.add(newProgress);
    }

    @Override
    public void onLogged(LogEntry entry) {}

    @Override
    public void onEvaluated(Evaluation evaluation) {}

    @Override
    public void onCheckpoint(long step, byte[] file) {
      checkpoints.add(file);
    }

    @Override
    public void onFinished(TrainJob.Finished finished) {
      failure.completeExceptionally(new AssertionError("It ended well."));
    }

    @Override
    public void onFailure(Throwable error) {
      failure.complete(error);
    }

    @Override
    public void whenRoom(Runnable action) {
      if (room) {
        action.run();
      } else {
        pending.add(action);
        waitsForRoom.complete(null);
      }
    }
  }
}

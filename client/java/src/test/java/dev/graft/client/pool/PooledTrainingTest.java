package dev.graft.client.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import dev.graft.client.Failures;
import dev.graft.client.InvalidRequestException;
import dev.graft.client.Items;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.v1.Backbone;
import dev.graft.v1.Checkpoint;
import dev.graft.v1.Content;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.FileChunk;
import dev.graft.v1.Item;
import dev.graft.v1.LogEntry;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingStarted;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Training on the features of many workers, at a worker that is lost. */
@Timeout(60)
class PooledTrainingTest {
  private static final ByteString PROJECTOR = ByteString.copyFromUtf8("projector");
  private static final ByteString CHECKPOINT = ByteString.copyFromUtf8("checkpoint");

  private static final TrainJob JOB =
      TrainJob.of(
          TrainSpec.newBuilder()
              .setFeatures(FeatureSpec.newBuilder().setBackbone(Backbone.newBuilder().setPath("b")))
              .build(),
          IntStream.range(0, 25)
              .mapToObj(
                  i ->
                      Items.withPair(
                          Items.withClass(Items.text(i, "text " + i), i % 2),
                          Content.newBuilder().setText("pair " + i).build()))
              .toList());

  private static PoolOptions options() {
    return new PoolOptions().shards(1_000, 10).backoff(Duration.ofMillis(1), Duration.ofMillis(4));
  }

  @Test
  void featuresComeFromAllWorkersAndATrainingGoesOnWhereItWas() {
    List<List<TrainRequest>> trainings = new ArrayList<>();
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(first.name() + "," + second.name(), options())) {
      first.train = (requests, responses) -> play(trainings, requests, responses);
      second.train = first.train;
      List<TrainEvent> events = new ArrayList<>();
      try (PooledTraining training = pool.train(JOB)) {
        training.forEachRemaining(events::add);
        assertThat(training.extraction().orElseThrow().getBackboneDigest()).isEqualTo("backbone");
      }
      assertThat(first.calls.get() + second.calls.get()).isEqualTo(5); // 50 contents
      assertThat(trainings).hasSize(2);
      assertThat(trainings.get(0).get(0).getSpec().getFeatures().hasBackbone()).isFalse();
      List<Item> items = items(trainings.get(0));
      assertThat(items).hasSize(25);
      for (int i = 0; i < items.size(); i++) {
        assertThat(items.get(i).getNumber()).isEqualTo(i);
        assertThat(items.get(i).getLabel().getClassIndex()).isEqualTo(i % 2);
        assertThat(items.get(i).getContent().hasFeatures()).isTrue();
        assertThat(items.get(i).getPair().hasFeatures()).isTrue();
        assertThat(items.get(i).getPair()).isNotEqualTo(items.get(i).getContent());
      }
      assertThat(items(trainings.get(1))).isEqualTo(items);
      assertThat(trainings.get(1).get(1).getCheckpointFile().getData()).isEqualTo(CHECKPOINT);
      assertThat(events.stream().map(event -> event.getClass().getSimpleName()))
          .containsExactly("Ready", "Started", "Log", "CheckpointSaved", "Log", "Completed");
      assertThat(((TrainEvent.Completed) events.get(5)).projectorFile()).isEqualTo(PROJECTOR);
    }
  }

  @Test
  void aSpecThatIsRefusedIsSoBeforeAnythingIsComputed() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      worker.check =
          (spec, responses) -> responses.onError(Status.INVALID_ARGUMENT.asRuntimeException());
      try (PooledTraining training = pool.train(JOB)) {
        assertThatThrownBy(training::hasNext).isInstanceOf(InvalidRequestException.class);
      }
      assertThat(worker.calls).hasValue(0);
    }
  }

  @Test
  void theAuditIsThatOfTheBackbone() {
    TrainReady ready =
        TrainReady.newBuilder()
            .setAudit(ParameterAudit.newBuilder().setFrozenDigest("frozen").setFrozenTensors(3))
            .build();
    AtomicInteger checks = new AtomicInteger();
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      worker.check =
          (spec, responses) -> {
            if (checks.getAndIncrement() == 0) {
              responses.onError(Status.UNAVAILABLE.asRuntimeException());
            } else {
              send(responses, TrainResponse.newBuilder().setReady(ready));
            }
          };
      try (PooledTraining training = pool.train(JOB)) {
        assertThat(training.next()).isEqualTo(new TrainEvent.Ready(ready));
      }
      assertThat(checks).hasValue(2);
    }
  }

  @Test
  void whatTheFeaturesCostIsTold() {
    List<List<TrainRequest>> trainings = new ArrayList<>();
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      worker.train = (requests, responses) -> play(trainings, requests, responses);
      List<TrainEvent> events = new ArrayList<>();
      try (PooledTraining training = pool.train(JOB)) {
        training.forEachRemaining(events::add);
      }
      // A fake worker counts three tokens for each of the 50 contents, and cuts none.
      TrainResult result = ((TrainEvent.Completed) events.get(5)).result();
      assertThat(result.getTokens()).isEqualTo(150);
      assertThat(result.getExtractionSeconds()).isPositive();
    }
  }

  @Test
  void aTrainingThatIsClosedLeavesItsPlace() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options().callsPerWorker(1))) {
      worker.train = (requests, responses) -> playFirstStep(responses);
      for (int i = 0; i < 2; i++) { // the second needs the place of the first
        try (PooledTraining training = pool.train(JOB)) {
          while (!(training.next() instanceof TrainEvent.Log)) {}
        }
      }
    }
  }

  @Test
  void aTrainingThatMakesNoProgressEnds() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options().mostAttempts(3))) {
      worker.train =
          (requests, responses) -> responses.onError(Status.INTERNAL.asRuntimeException());
      try (PooledTraining training = pool.train(JOB)) {
        assertThatThrownBy(() -> training.forEachRemaining(event -> {}))
            .isInstanceOf(IncompleteJobException.class)
            .hasMessageContaining("3 attempts without a new checkpoint failed");
      }
    }
  }

  @Test
  void aWorkerThatIsFullIsPassedOver() {
    AtomicInteger refusals = new AtomicInteger();
    List<List<TrainRequest>> trainings = new ArrayList<>();
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(first.name() + "," + second.name(), options().mostAttempts(2))) {
      // Whoever is asked first is full.
      first.train =
          (requests, responses) -> {
            if (refusals.getAndIncrement() < 3) {
              responses.onError(PooledExtractTest.refusal());
            } else {
              play(trainings, requests, responses);
            }
          };
      second.train = first.train;
      List<TrainEvent> events = new ArrayList<>();
      try (PooledTraining training = pool.train(JOB)) {
        training.forEachRemaining(events::add);
      }
      assertThat(refusals.get()).isGreaterThan(3);
      assertThat(((TrainEvent.Completed) events.get(events.size() - 1)).projectorFile())
          .isEqualTo(PROJECTOR);
    }
  }

  @Test
  void aTrainingThatFallsSilentGoesOnElsewhere() throws InterruptedException {
    List<List<TrainRequest>> trainings = new ArrayList<>();
    AtomicInteger silent = new AtomicInteger();
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(
                first.name() + "," + second.name(),
                options().trainingStallTimeout(Duration.ofSeconds(2)))) {
      WorkerPoolTest.awaitUp(pool, 2);
      Events poolEvents = Events.of(pool);
      first.train =
          (requests, responses) -> {
            if (silent.getAndIncrement() == 0) {
              trainings.add(requests);
              playUntilTheCheckpoint(responses);
            } else {
              play(trainings, requests, responses);
            }
          };
      second.train = first.train;
      List<TrainEvent> events = new ArrayList<>();
      try (PooledTraining training = pool.train(JOB)) {
        training.forEachRemaining(events::add);
      }
      PoolEvent.TrainingMoved moved = poolEvents.await(PoolEvent.TrainingMoved.class);
      assertThat(moved.why()).contains("no message for 2 s");
      assertThat(moved.step()).isEqualTo(1);
      assertThat(trainings).hasSizeGreaterThanOrEqualTo(2);
      assertThat(trainings.get(1).get(1).getCheckpointFile().getData()).isEqualTo(CHECKPOINT);
      assertThat(((TrainEvent.Completed) events.get(5)).projectorFile()).isEqualTo(PROJECTOR);
    }
  }

  @Test
  void featuresThatAreMissingAreNamedByTheItemsTheyBelongTo() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options().mostAttempts(2))) {
      worker.answer =
          (items, responses) -> {
            if (items.get(0).getContent().getText().equals("text 20")) {
              responses.onError(Status.INTERNAL.asRuntimeException());
            } else {
              FarmWorker.results(items, responses);
            }
          };
      try (PooledTraining training =
          pool.train(JOB.withEvalItems(List.of(Items.withClass(Items.text(7, "eval"), 0))))) {
        // Two contents for each item, so the shards begin with items 0, 5, 10, 15 and 20; the
        // evaluation item is in a shard of its own.
        IncompleteJobException incomplete =
            catchThrowableOfType(
                IncompleteJobException.class, () -> training.forEachRemaining(event -> {}));
        assertThat(incomplete)
            .hasMessageContaining("2 attempts failed")
            .hasMessageContaining("20-24");
        assertThat(incomplete.missingItems()).contains(20L, 21L, 22L, 23L, 24L).doesNotContain(40L);
      }
    }
  }

  @Test
  void anItemThatIsRefusedIsNamedByItsOwnNumber() {
    List<Item> items = List.of(Items.withClass(Items.text(50, "a"), 0));
    List<Item> evalItems =
        List.of(
            Items.withPair(
                Items.withClass(Items.text(50, "b"), 0),
                Content.newBuilder().setText("c").build()));
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      worker.answer =
          (contents, responses) ->
              responses.onError(
                  Failures.of(
                      Status.Code.INVALID_ARGUMENT,
                      "items[2].content is empty.",
                      ErrorInfo.newBuilder().setReason("INVALID_ITEM").putMetadata("item", "2")));
      try (PooledTraining training =
          pool.train(TrainJob.of(JOB.spec(), items).withEvalItems(evalItems))) {
        InvalidRequestException refused =
            catchThrowableOfType(
                InvalidRequestException.class, () -> training.forEachRemaining(event -> {}));
        assertThat(refused)
            .hasMessage(
                "Evaluation item 50's pair, which is item 2 here: items[2].content is empty.");
        assertThat(refused.metadata()).containsEntry("item", "50");
        assertThat(refused.reason()).isEqualTo("INVALID_ITEM");
      }
    }
  }

  /** Fails after the first checkpoint, and goes on from it. */
  private static void play(
      List<List<TrainRequest>> trainings,
      List<TrainRequest> requests,
      StreamObserver<TrainResponse> responses) {
    trainings.add(requests);
    boolean resumed = requests.stream().anyMatch(TrainRequest::hasCheckpointFile);
    if (!resumed) {
      playUntilTheCheckpoint(responses);
      responses.onError(Status.UNAVAILABLE.asRuntimeException());
      return;
    }
    playFirstStep(responses);
    send(responses, TrainResponse.newBuilder().setLog(LogEntry.newBuilder().setStep(2)));
    send(responses, TrainResponse.newBuilder().setProjectorFile(file(PROJECTOR)));
    send(
        responses,
        TrainResponse.newBuilder()
            .setResult(TrainResult.newBuilder().setStep(2).setProjectorSha256(sha256(PROJECTOR))));
    responses.onCompleted();
  }

  private static void playFirstStep(StreamObserver<TrainResponse> responses) {
    send(responses, TrainResponse.newBuilder().setReady(TrainReady.getDefaultInstance()));
    send(responses, TrainResponse.newBuilder().setStarted(TrainingStarted.getDefaultInstance()));
    send(responses, TrainResponse.newBuilder().setLog(LogEntry.newBuilder().setStep(1)));
  }

  private static void playUntilTheCheckpoint(StreamObserver<TrainResponse> responses) {
    playFirstStep(responses);
    send(
        responses,
        TrainResponse.newBuilder()
            .setCheckpoint(Checkpoint.newBuilder().setStep(1).setChunk(file(CHECKPOINT))));
  }

  private static void send(
      StreamObserver<TrainResponse> responses, TrainResponse.Builder response) {
    responses.onNext(response.build());
  }

  private static FileChunk file(ByteString data) {
    return FileChunk.newBuilder().setTotalBytes(data.size()).setData(data).build();
  }

  private static List<Item> items(List<TrainRequest> requests) {
    return requests.stream()
        .flatMap(request -> request.getTrainItems().getItemsList().stream())
        .toList();
  }

  private static String sha256(ByteString data) {
    try {
      byte[] bytes = data.toString(UTF_8).getBytes(UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException missing) {
      throw new AssertionError(missing);
    }
  }
}

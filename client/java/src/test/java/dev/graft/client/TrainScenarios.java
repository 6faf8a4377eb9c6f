package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.rpc.ErrorInfo;
import dev.graft.v1.Checkpoint;
import dev.graft.v1.Evaluation;
import dev.graft.v1.ExtractionProgress;
import dev.graft.v1.FileChunk;
import dev.graft.v1.Item;
import dev.graft.v1.LogEntry;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainRequest.MessageCase;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingProgress;
import dev.graft.v1.TrainingStarted;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How Train calls behave over any transport. */
abstract class TrainScenarios extends Scenarios {
  private static final ByteString PROJECTOR = bytes(600_000, 1);
  private static final ByteString CHECKPOINT = bytes(700_000, 2);
  private static final TrainJob JOB =
      TrainJob.of(TrainSpec.getDefaultInstance(), labelled(3)).withEvalItems(labelled(2));

  TrainScenarios(Transport transport) {
    super(transport);
  }

  @Test
  void eventsComeInOrderAndFilesWhole() {
    respondAtEndOfData(
        responses -> {
          responses.onNext(
              response().setExtraction(ExtractionProgress.newBuilder().setItemsDone(5)).build());
          responses.onNext(
              response().setStarted(TrainingStarted.newBuilder().setTotalSteps(9)).build());
          responses.onNext(
              response().setTraining(TrainingProgress.newBuilder().setStep(1)).build());
          responses.onNext(response().setLog(LogEntry.newBuilder().setLoss(0.5)).build());
          responses.onNext(
              response()
                  .setEvaluation(Evaluation.newBuilder().putMetrics("eval_loss", 0.4))
                  .build());
          sendCheckpoint(responses, 4, CHECKPOINT);
          complete(responses);
        });
    List<TrainEvent> events = new ArrayList<>();
    try (TrainingCall call = client().train(JOB)) {
      call.forEachRemaining(events::add);
      assertThat(call.hasNext()).isFalse();
    }
    assertThat(events)
        .hasExactlyElementsOfTypes(
            TrainEvent.Ready.class,
            TrainEvent.Extraction.class,
            TrainEvent.Started.class,
            TrainEvent.Training.class,
            TrainEvent.Log.class,
            TrainEvent.Evaluated.class,
            TrainEvent.CheckpointSaved.class,
            TrainEvent.Completed.class);
    assertThat(events.get(6)).isEqualTo(new TrainEvent.CheckpointSaved(4, CHECKPOINT));
    assertThat(((TrainEvent.Completed) events.get(7)).projectorFile()).isEqualTo(PROJECTOR);
  }

  @Test
  void filesAndItemsAreSentInTheContractsOrder() {
    List<TrainRequest> requests = respondAtEndOfData(TrainScenarios::complete);
    TrainJob job =
        JOB.withInitialProjector(PROJECTOR)
            .withCheckpoint(CHECKPOINT)
            .withEvalItems(
                Stream.concat(labelled(2).stream(), Stream.of(Items.FLUSH)).toList()); // none here
    assertThat(client().trainAsync(job).join().projectorFile()).isEqualTo(PROJECTOR);

    assertThat(requests)
        .extracting(TrainRequest::getMessageCase)
        .containsExactly(
            MessageCase.SPEC,
            MessageCase.INITIAL_PROJECTOR_FILE,
            MessageCase.INITIAL_PROJECTOR_FILE,
            MessageCase.INITIAL_PROJECTOR_FILE,
            MessageCase.CHECKPOINT_FILE,
            MessageCase.CHECKPOINT_FILE,
            MessageCase.CHECKPOINT_FILE,
            MessageCase.TRAIN_ITEMS,
            MessageCase.EVAL_ITEMS,
            MessageCase.END_OF_DATA);
    assertThat(requests.get(0).getSpec().getInitialProjectorBytes()).isEqualTo(PROJECTOR.size());
    assertThat(requests.get(0).getSpec().getCheckpointBytes()).isEqualTo(CHECKPOINT.size());
    assertThat(requests.get(7).getTrainItems().getItemsList()).isEqualTo(labelled(3));
    assertThat(requests.get(8).getEvalItems().getItemsList()).isEqualTo(labelled(2));
  }

  @Test
  void aCheckpointCanBeAskedForWhileTraining() {
    saveWhenAsked();
    List<TrainEvent> events = new ArrayList<>();
    try (TrainingCall call = client().train(JOB)) {
      call.forEachRemaining(
          event -> {
            if (event instanceof TrainEvent.Log) {
              call.requestCheckpoint();
            }
            events.add(event);
          });
      call.requestCheckpoint(); // too late: does nothing
    }
    assertThat(events).contains(new TrainEvent.CheckpointSaved(7, CHECKPOINT));
  }

  @Test
  void publishersCallsCanBeAskedForACheckpoint() throws Exception {
    saveWhenAsked();
    TrainingPublisher publisher = client().trainPublisher(JOB);
    publisher.requestCheckpoint(); // no call runs: does nothing
    RecordingSubscriber<TrainEvent> subscriber = new RecordingSubscriber<>();
    publisher.subscribe(subscriber);
    assertThat(subscriber.take(2)).hasAtLeastOneElementOfType(TrainEvent.Log.class);
    publisher.requestCheckpoint();
    assertThat(subscriber.take(2)).contains(new TrainEvent.CheckpointSaved(7, CHECKPOINT));
    subscriber.end.get();
  }

  @Test
  void aCheckpointCanBeAskedForBeforeTheCallIsOpen() {
    List<MessageCase> requests = Collections.synchronizedList(new ArrayList<>());
    worker.train =
        responses ->
            request -> {
              requests.add(request.getMessageCase());
              if (request.hasCheckpointRequest()) {
                responses.onError(Status.ABORTED.asRuntimeException());
              }
            };
    TrainingPublisher publisher = client().trainPublisher(JOB);
    CompletableFuture<Void> end = new CompletableFuture<>();
    publisher.subscribe(
        new Flow.Subscriber<>() {
          @Override
          public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(1);
            publisher.requestCheckpoint();
          }

          @Override
          public void onNext(TrainEvent event) {}

          @Override
          public void onError(Throwable thrown) {
            end.complete(null);
          }

          @Override
          public void onComplete() {}
        });
    end.join();
    assertThat(requests).startsWith(MessageCase.SPEC, MessageCase.CHECKPOINT_REQUEST);
  }

  @Test
  void futuresCallCanBeAskedForACheckpoint() throws Exception {
    CountDownLatch trains = new CountDownLatch(1);
    worker.train =
        responses ->
            request -> {
              if (request.hasSpec()) {
                responses.onNext(ready());
              } else if (request.hasEndOfData()) {
                trains.countDown();
              } else if (request.hasCheckpointRequest()) {
                sendCheckpoint(responses, 7, CHECKPOINT);
                complete(responses);
              }
            };
    TrainingFuture future = client().trainAsync(JOB);
    await(trains);
    assertThat(future.lastCheckpoint()).isEmpty();
    future.requestCheckpoint();
    assertThat(future.get().projectorFile()).isEqualTo(PROJECTOR);
    assertThat(future.lastCheckpoint()).contains(new TrainEvent.CheckpointSaved(7, CHECKPOINT));
  }

  @Test
  void publisherHonoursDemand() throws Exception {
    respondAtEndOfData(
        responses -> {
          for (int step = 0; step < 20; step++) {
            responses.onNext(response().setLog(LogEntry.newBuilder().setStep(step)).build());
          }
          complete(responses);
        });
    RecordingSubscriber<TrainEvent> subscriber = new RecordingSubscriber<>();
    client().trainPublisher(JOB).subscribe(subscriber);
    assertThat(subscriber.take(1)).hasOnlyElementsOfType(TrainEvent.Ready.class);
    assertThat(subscriber.take(20)).hasOnlyElementsOfType(TrainEvent.Log.class);
    assertThat(subscriber.take(1)).hasOnlyElementsOfType(TrainEvent.Completed.class);
    subscriber.end.get();
    assertThat(subscriber.flooded()).isFalse();
  }

  @Test
  void cancellingThePublishersSubscriptionCancelsAtTheWorker() throws Exception {
    worker.train = responses -> request -> {};
    RecordingSubscriber<TrainEvent> subscriber = new RecordingSubscriber<>();
    client().trainPublisher(JOB).subscribe(subscriber);
    await(worker.opened);
    subscriber.subscription.join().cancel();
    await(worker.cancelled);
  }

  @Test
  void aSubscriberThatThrowsCancelsAtTheWorker() throws Exception {
    worker.train = responses -> request -> responses.onNext(ready());
    client()
        .trainPublisher(JOB)
        .subscribe(
            new Flow.Subscriber<>() {
              @Override
              public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(1);
              }

              @Override
              public void onNext(TrainEvent event) {
                throw new IllegalStateException("thrown by a test's subscriber");
              }

              @Override
              public void onError(Throwable thrown) {}

              @Override
              public void onComplete() {}
            });
    await(worker.cancelled);
  }

  @Test
  void cancellingEndsTheTraining() throws Exception {
    CountDownLatch dataComplete = new CountDownLatch(1);
    worker.train =
        responses ->
            request -> {
              if (request.hasEndOfData()) {
                dataComplete.countDown();
              }
            };
    try (TrainingCall call = client().train(JOB)) {
      await(dataComplete);
      call.cancel();
      assertThatThrownBy(call::next).isInstanceOf(CallCancelledException.class);
    }
    await(worker.cancelled);
  }

  @Test
  void nonFiniteLossCarriesTheLastCheckpoint() {
    respondAtEndOfData(
        responses -> {
          sendCheckpoint(responses, 2, bytes(10, 3));
          sendCheckpoint(responses, 4, CHECKPOINT);
          responses.onError(
              Failures.of(
                  Status.Code.ABORTED,
                  "The loss became NaN at step 5",
                  ErrorInfo.newBuilder().setReason("NON_FINITE_LOSS").putMetadata("step", "5")));
        });
    try (TrainingCall call = client().train(JOB)) {
      NonFiniteLossException diverged =
          catchThrowableOfType(
              NonFiniteLossException.class, () -> call.forEachRemaining(event -> {}));
      assertThat(diverged).hasMessage("The loss became NaN at step 5");
      assertThat(diverged.metadata()).containsEntry("step", "5");
      assertThat(diverged.lastCheckpoint()).contains(new TrainEvent.CheckpointSaved(4, CHECKPOINT));
    }
  }

  @Test
  void closingWithoutResultIsAnError() {
    respondAtEndOfData(
        responses -> {
          sendCheckpoint(responses, 4, CHECKPOINT);
          responses.onCompleted();
        });
    assertThat(assertBroken("before it sent the result").lastCheckpoint()).isPresent();
  }

  @Test
  void aDamagedProjectorIsAnError() {
    respondAtEndOfData(
        responses -> {
          sendProjector(responses, bytes(600_000, 9));
          responses.onNext(result());
          responses.onCompleted();
        });
    assertBroken("SHA-256");
  }

  @Test
  void aResultWithoutProjectorIsAnError() {
    respondAtEndOfData(responses -> responses.onNext(result()));
    assertBroken("before the whole of its files");
  }

  @Test
  void whatALaterVersionTellsIsPassedOver() {
    UnknownFieldSet later =
        UnknownFieldSet.newBuilder()
            .addField(1000, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
            .build();
    respondAtEndOfData(
        responses -> {
          responses.onNext(response().setUnknownFields(later).build());
          complete(responses);
        });
    assertThat(client().trainAsync(JOB).join().projectorFile()).isEqualTo(PROJECTOR);
  }

  @Test
  void anEmptyMessageIsAnError() {
    respondAtEndOfData(responses -> responses.onNext(response().build()));
    assertBroken("sent an empty message");
  }

  @Test
  void eventsBeforeReadyAreAnError() throws Exception {
    worker.train = responses -> request -> responses.onNext(result());
    assertBroken("sent RESULT when the call was OPENED");
    await(worker.cancelled);
  }

  @Test
  void messagesAfterTheResultAreAnError() {
    respondAtEndOfData(
        responses -> {
          sendProjector(responses, PROJECTOR);
          responses.onNext(result());
          responses.onNext(result());
        });
    assertBroken("when the call was COMPLETED");
  }

  @Test
  void checkpointsMustNotBeMixed() {
    respondAtEndOfData(
        responses -> {
          responses.onNext(checkpoint(1, chunk(0, 20, bytes(10, 1))));
          responses.onNext(checkpoint(2, chunk(0, 20, bytes(10, 1))));
        });
    assertBroken("checkpoint of step 2 before that of step 1");
  }

  @Test
  void aFileLargerThanTheClientTakesIsAnError() {
    use(clientBuilder().maxAssembledBytes(1000).build());
    respondAtEndOfData(responses -> responses.onNext(checkpoint(1, chunk(0, -1, bytes(10, 1)))));
    assertBroken("18446744073709551615 bytes, but this client takes at most 1000");
  }

  private BrokenContractException assertBroken(String message) {
    try (TrainingCall call = client().train(JOB)) {
      BrokenContractException broken =
          catchThrowableOfType(
              BrokenContractException.class, () -> call.forEachRemaining(event -> {}));
      assertThat(broken).hasMessageContaining(message);
      return broken;
    }
  }

  /** Scripts a worker that says ready at the spec and the rest at the end of data. */
  private List<TrainRequest> respondAtEndOfData(Consumer<StreamObserver<TrainResponse>> rest) {
    List<TrainRequest> requests = Collections.synchronizedList(new ArrayList<>());
    worker.train =
        responses ->
            request -> {
              requests.add(request);
              if (request.hasSpec()) {
                responses.onNext(ready());
              } else if (request.hasEndOfData()) {
                rest.accept(responses);
              }
            };
    return requests;
  }

  /** Scripts a worker that trains until it is asked for a checkpoint. */
  private void saveWhenAsked() {
    worker.train =
        responses ->
            request -> {
              if (request.hasSpec()) {
                responses.onNext(ready());
              } else if (request.hasEndOfData()) {
                responses.onNext(response().setLog(LogEntry.getDefaultInstance()).build());
              } else if (request.hasCheckpointRequest()) {
                sendCheckpoint(responses, 7, CHECKPOINT);
                complete(responses);
              }
            };
  }

  private static void complete(StreamObserver<TrainResponse> responses) {
    sendProjector(responses, PROJECTOR);
    responses.onNext(result());
    responses.onCompleted();
  }

  private static void sendProjector(StreamObserver<TrainResponse> responses, ByteString file) {
    FileChunks.cut(file, 256 << 10)
        .forEach(chunk -> responses.onNext(response().setProjectorFile(chunk).build()));
  }

  private static void sendCheckpoint(
      StreamObserver<TrainResponse> responses, long step, ByteString file) {
    FileChunks.cut(file, 256 << 10).forEach(chunk -> responses.onNext(checkpoint(step, chunk)));
  }

  private static TrainResponse.Builder response() {
    return TrainResponse.newBuilder();
  }

  private static TrainResponse ready() {
    return response().setReady(TrainReady.getDefaultInstance()).build();
  }

  private static TrainResponse result() {
    return response()
        .setResult(TrainResult.newBuilder().setProjectorSha256(Sha256.hex(PROJECTOR)))
        .build();
  }

  private static TrainResponse checkpoint(long step, FileChunk chunk) {
    return response().setCheckpoint(Checkpoint.newBuilder().setStep(step).setChunk(chunk)).build();
  }

  private static FileChunk chunk(long offset, long totalBytes, ByteString data) {
    return FileChunk.newBuilder().setOffset(offset).setTotalBytes(totalBytes).setData(data).build();
  }

  private static List<Item> labelled(int count) {
    return IntStream.range(0, count)
        .mapToObj(number -> Items.withClass(Items.text(number, "text"), number % 2))
        .toList();
  }

  private static ByteString bytes(int size, int value) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) value);
    return ByteString.copyFrom(bytes);
  }
}

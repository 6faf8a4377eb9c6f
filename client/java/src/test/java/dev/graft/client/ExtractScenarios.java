package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.graft.v1.Backbone;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.FileChunk;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Pooling;
import dev.graft.v1.ResultBatch;
import dev.graft.v1.TrainedProjector;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** How Extract calls behave over any transport. */
abstract class ExtractScenarios extends Scenarios {
  private static final ExtractJob JOB =
      ExtractJob.of(
          ExtractSpec.newBuilder()
              .setFeatures(
                  FeatureSpec.newBuilder().setBackbone(Backbone.newBuilder().setPath("tiny")))
              .build());

  ExtractScenarios(Transport transport) {
    super(transport);
  }

  @Test
  void everyItemIsAnswered() {
    worker.extract = this::answerEach;
    List<Long> numbers = new ArrayList<>();
    try (ExtractCall results = client().extract(JOB, numbered(1000))) {
      assertThat(results.ready().getBackboneDigest()).isEqualTo("feed");
      results.forEachRemaining(
          result -> {
            assertThat(Tensors.toFloats(result.getFeatures()))
                .containsExactly((float) result.getNumber());
            numbers.add(result.getNumber());
          });
      assertThat(results.hasNext()).isFalse();
    }
    assertThat(numbers).containsExactlyElementsOf(LongStream.range(0, 1000).boxed().toList());
  }

  @Test
  void noItemsGiveNoResults() {
    worker.extract = this::answerEach;
    try (ExtractCall results = client().extract(JOB, List.of())) {
      assertThat(results.hasNext()).isFalse();
      assertThat(results.ready().getFeatureSize()).isEqualTo(1);
    }
  }

  @Test
  void aFlushIsSentBetweenTheItems() {
    List<ExtractRequest.MessageCase> requests = Collections.synchronizedList(new ArrayList<>());
    worker.extract =
        responses -> {
          Consumer<ExtractRequest> answers = answerEach(responses);
          return request -> {
            requests.add(request.getMessageCase());
            answers.accept(request);
          };
        };
    List<Item> items = List.of(Items.text(7, "a"), Items.FLUSH, Items.text(3, "b"));
    assertThat(client().extractAsync(JOB, items).join().results())
        .extracting(ItemResult::getNumber)
        .containsExactly(7L, 3L);
    assertThat(requests)
        .containsExactly(
            ExtractRequest.MessageCase.SPEC,
            ExtractRequest.MessageCase.ITEMS,
            ExtractRequest.MessageCase.FLUSH,
            ExtractRequest.MessageCase.ITEMS);
  }

  @Test
  void readyWaitsForNoResult() {
    worker.extract =
        responses ->
            request -> {
              if (request.hasSpec()) {
                responses.onNext(ready(Pooling.POOLING_MEAN));
              }
            };
    try (ExtractCall results = client().extract(JOB, numbered(1))) {
      assertThat(results.ready().getBackboneDigest()).isEqualTo("feed");
    }
  }

  @Test
  void readyFailsAsItsCallDoes() {
    worker.extract =
        responses -> request -> responses.onError(Status.UNAVAILABLE.asRuntimeException());
    try (ExtractCall results = client().extract(JOB, numbered(1))) {
      assertThatThrownBy(results::ready).isInstanceOf(WorkerUnavailableException.class);
      assertThatThrownBy(results::hasNext).isInstanceOf(WorkerUnavailableException.class);
    }
  }

  @Test
  void futurePutsResultsIntoTheOrderOfItems() {
    worker.extract =
        responses -> {
          List<Item> items = new ArrayList<>();
          worker.afterLastRequest =
              () -> {
                Collections.reverse(items);
                items.forEach(item -> responses.onNext(results(answer(item))));
                responses.onCompleted();
              };
          return request -> {
            if (request.hasSpec()) {
              responses.onNext(ready(Pooling.POOLING_MEAN));
            }
            items.addAll(request.getItems().getItemsList());
          };
        };
    List<Item> items = List.of(Items.text(7, "a"), Items.text(3, "b"), Items.text(5, "c"));
    ExtractResults results = client().extractAsync(JOB, items).join();
    assertThat(results.ready().getBackboneDigest()).isEqualTo("feed");
    assertThat(results.results()).extracting(ItemResult::getNumber).containsExactly(7L, 3L, 5L);
  }

  @Test
  void futureRefusesTwoItemsOfOneNumber() {
    worker.extract = this::answerEach;
    List<Item> items = List.of(Items.text(7, "a"), Items.text(7, "b"));
    assertThatThrownBy(() -> client().extractAsync(JOB, items).join())
        .cause()
        .isInstanceOfSatisfying(
            InvalidRequestException.class,
            refused -> {
              assertThat(refused.reason()).isEqualTo("DUPLICATE_NUMBER");
              assertThat(refused.metadata()).containsEntry("item", "7");
            });
  }

  @Test
  void partsOfTokenRowsAreJoined() {
    worker.extract =
        responses ->
            request -> {
              if (request.hasSpec()) {
                responses.onNext(ready(Pooling.POOLING_NONE));
              } else {
                responses.onNext(results(rows(1, 2, 3, 30), rows(0, 0, 2, 1, 2)));
                responses.onNext(results(rows(1, 0, 3, 10, 20)));
                responses.onCompleted();
              }
            };
    List<ItemResult> results = client().extractAsync(JOB, numbered(2)).join().results();
    assertThat(Tensors.toFloats(results.get(0).getFeatures())).containsExactly(1, 2);
    assertThat(Tensors.toFloats(results.get(1).getFeatures())).containsExactly(10, 20, 30);
    assertThat(results.get(1).getFeatures().getShapeList()).containsExactly(3L, 1L);
  }

  @Test
  void projectorFileComesBetweenSpecAndItems() {
    ByteString file = ByteString.copyFrom(new byte[700_000]);
    List<ExtractRequest> requests = Collections.synchronizedList(new ArrayList<>());
    worker.extract =
        responses -> {
          Consumer<ExtractRequest> answering = answerEach(responses);
          return request -> {
            requests.add(request);
            answering.accept(request);
          };
        };
    ExtractJob job =
        ExtractJob.of(
                JOB.spec().toBuilder().setProjector(TrainedProjector.getDefaultInstance()).build())
            .withProjectorFile(file);
    assertThat(client().extractAsync(job, numbered(1)).join().results()).hasSize(1);

    assertThat(requests.get(0).getSpec().getProjector().getFileBytes()).isEqualTo(700_000);
    List<FileChunk> chunks =
        requests.subList(1, requests.size() - 1).stream()
            .map(ExtractRequest::getProjectorFile)
            .toList();
    assertThat(chunks).extracting(FileChunk::getOffset).containsExactly(0L, 262_144L, 524_288L);
    assertThat(chunks).extracting(FileChunk::getTotalBytes).containsOnly(700_000L);
    assertThat(requests.get(requests.size() - 1).hasItems()).isTrue();
  }

  @Test
  void itemsWaitUntilTheWorkerReads() throws Exception {
    AtomicLong pulled = new AtomicLong();
    AtomicLong mostAhead = new AtomicLong();
    CompletableFuture<ServerCallStreamObserver<ExtractResponse>> opened = new CompletableFuture<>();
    int count = 4000; // of 8 KiB: 32 MiB, where buffers hold about 2 MiB
    worker.extract =
        responses -> {
          responses.disableAutoRequest();
          opened.complete(responses);
          AtomicLong read = new AtomicLong();
          Consumer<ExtractRequest> answering = answerEach(responses);
          return request -> {
            read.addAndGet(request.getItems().getItemsCount());
            mostAhead.accumulateAndGet(pulled.get() - read.get(), Math::max);
            answering.accept(request);
            responses.request(1);
          };
        };
    Iterator<Item> source =
        IntStream.range(0, count)
            .mapToObj(
                number -> {
                  pulled.incrementAndGet();
                  return Items.text(number, "x".repeat(8 << 10));
                })
            .iterator();
    CompletableFuture<ExtractResults> results = client().extractAsync(JOB, () -> source);
    ServerCallStreamObserver<ExtractResponse> call = opened.get();
    awaitIdleItemThreads();
    assertThat(pulled.get()).isLessThan(count / 4);
    call.request(1);
    assertThat(results.get().results()).hasSize(count);
    assertThat(mostAhead.get()).isLessThan(count / 4);
  }

  @Test
  void resultsWaitUntilTheConsumerTakesThem() throws Exception {
    AtomicInteger sent = new AtomicInteger();
    CountDownLatch heldBack = new CountDownLatch(1);
    int count = 1000; // of 64 KiB: 64 MiB
    worker.extract =
        responses -> {
          AtomicBoolean receivedAll = new AtomicBoolean();
          Runnable sending =
              () -> {
                while (receivedAll.get() && responses.isReady() && sent.get() < count) {
                  float[] feature = new float[16 << 10];
                  responses.onNext(results(result(sent.getAndIncrement(), feature)));
                }
                if (receivedAll.get() && sent.get() < count) {
                  heldBack.countDown();
                }
              };
          responses.setOnReadyHandler(sending);
          worker.afterLastRequest =
              () -> {
                receivedAll.set(true);
                sending.run();
              };
          return request -> {
            if (request.hasSpec()) {
              responses.onNext(ready(Pooling.POOLING_MEAN));
            }
          };
        };
    ExtractCall results = client().extract(JOB, numbered(count));
    await(heldBack);
    assertThat(sent.get()).isLessThan(count / 2);
    results.close();
    await(worker.cancelled);
  }

  @Test
  void publisherHonoursDemand() throws Exception {
    worker.extract = this::answerEach;
    RecordingSubscriber<ItemResult> subscriber = new RecordingSubscriber<>();
    client().extractPublisher(JOB, numbered(10)).subscribe(subscriber);
    assertThat(subscriber.take(1)).extracting(ItemResult::getNumber).containsExactly(0L);
    assertThat(subscriber.take(3)).extracting(ItemResult::getNumber).containsExactly(1L, 2L, 3L);
    await(worker.halfClosed);
    assertThat(subscriber.end).isNotDone();
    assertThat(subscriber.take(6)).hasSize(6);
    subscriber.end.get();
    assertThat(subscriber.flooded()).isFalse();
  }

  @Test
  void publisherRefusesDemandThatIsNotPositive() {
    worker.extract = this::answerEach;
    RecordingSubscriber<ItemResult> subscriber = new RecordingSubscriber<>();
    client().extractPublisher(JOB, numbered(10)).subscribe(subscriber);
    subscriber.request(0);
    assertThatThrownBy(subscriber.end::get).cause().isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void closingEarlyCancelsAtTheWorkerAndInterruptsTheSource() throws Exception {
    worker.extract = this::answerEach;
    BlockingQueue<Item> source = new LinkedBlockingQueue<>();
    CountDownLatch pulled = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    ExtractCall results = client().extract(JOB, () -> draining(source, pulled, interrupted));
    await(worker.opened);
    await(pulled);
    results.close();
    await(worker.cancelled);
    await(interrupted);
    assertThatThrownBy(results::hasNext).isInstanceOf(CallCancelledException.class);
  }

  @Test
  void cancellingWakesWhoWaits() throws Exception {
    worker.extract = responses -> request -> {};
    ExtractCall results = client().extract(JOB, List.of());
    await(worker.opened);
    CompletableFuture<Throwable> waiter =
        CompletableFuture.supplyAsync(() -> catchThrowable(results::hasNext));
    results.cancel();
    assertThat(waiter.get()).isInstanceOf(CallCancelledException.class);
    await(worker.cancelled);
  }

  @Test
  void interruptingWhoWaitsCancels() throws Exception {
    worker.extract = responses -> request -> {};
    ExtractCall results = client().extract(JOB, List.of());
    await(worker.opened);
    Thread.currentThread().interrupt();
    assertThatThrownBy(results::hasNext).isInstanceOf(CallCancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
    await(worker.cancelled);
  }

  @Test
  void cancellingTheFutureCancelsAtTheWorker() throws Exception {
    worker.extract = responses -> request -> {};
    CompletableFuture<ExtractResults> results = client().extractAsync(JOB, numbered(1));
    await(worker.opened);
    assertThat(results.cancel(true)).isTrue();
    assertThatThrownBy(results::get).isInstanceOf(CancellationException.class);
    await(worker.cancelled);
  }

  @Test
  void closingTheClientEndsItsCalls() {
    worker.extract = responses -> request -> {};
    ExtractCall results = client().extract(JOB, List.of());
    client().close();
    assertThatThrownBy(results::hasNext)
        .isInstanceOf(CallCancelledException.class)
        .hasMessageContaining("client was closed");
    assertThatThrownBy(() -> client().extract(JOB, List.of()))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void whatTheSourceThrowsSurfaces() throws Exception {
    worker.extract = this::answerEach;
    IllegalStateException thrown = new IllegalStateException("the disk is gone");
    Iterable<Item> source =
        () ->
            IntStream.range(0, 100)
                .mapToObj(
                    number -> {
                      if (number == 50) {
                        throw thrown;
                      }
                      return Items.text(number, "x");
                    })
                .iterator();
    try (ExtractCall results = client().extract(JOB, source)) {
      assertThatThrownBy(() -> results.forEachRemaining(result -> {})).isSameAs(thrown);
    }
    await(worker.cancelled);
  }

  @Test
  void anItemLargerThanAMessageIsRefusedHere() throws Exception {
    worker.extract = this::answerEach;
    List<Item> items = List.of(Items.text(0, "x"), Items.text(9, "x".repeat(1 << 20)));
    try (ExtractCall results = client().extract(JOB, items)) {
      InvalidRequestException refused =
          catchThrowableOfType(
              InvalidRequestException.class, () -> results.forEachRemaining(result -> {}));
      assertThat(refused.reason()).isEqualTo("ITEM_TOO_LARGE");
      assertThat(refused).hasMessageContaining("item 9");
    }
    await(worker.cancelled);
  }

  @Test
  void theDeadlineEndsTheCall() throws Exception {
    worker.extract = responses -> request -> {};
    ExtractJob job = JOB.withDeadline(Duration.ofMillis(200));
    try (ExtractCall results = client().extract(job, List.of())) {
      assertThatThrownBy(results::hasNext).isInstanceOf(DeadlineExceededException.class);
    }
    await(worker.cancelled);
  }

  @Test
  void theDefaultDeadlineHoldsForJobsWithoutOne() {
    worker.extract = responses -> request -> {};
    use(clientBuilder().defaultDeadline(Duration.ofMillis(200)).build());
    try (ExtractCall results = client().extract(JOB, List.of())) {
      assertThatThrownBy(results::hasNext).isInstanceOf(DeadlineExceededException.class);
    }
  }

  @Test
  void anUnansweredItemIsAnError() {
    worker.extract =
        responses -> {
          worker.afterLastRequest = responses::onCompleted;
          return request -> {
            if (request.hasSpec()) {
              responses.onNext(ready(Pooling.POOLING_MEAN));
            } else {
              responses.onNext(results(result(0, 1)));
            }
          };
        };
    assertBroken("after answering 1 of 2 items");
  }

  @Test
  void resultsBeforeReadyAreAnError() throws Exception {
    worker.extract = responses -> request -> responses.onNext(results(result(0, 1)));
    assertBroken("did not begin with `ready`");
    await(worker.cancelled);
  }

  @Test
  void moreResultsThanItemsAreAnError() throws Exception {
    worker.extract =
        responses -> {
          responses.onNext(ready(Pooling.POOLING_MEAN));
          return request -> responses.onNext(results(result(0, 1), result(1, 1), result(2, 1)));
        };
    assertBroken("more items than were sent");
    await(worker.cancelled);
  }

  private void assertBroken(String message) {
    try (ExtractCall results = client().extract(JOB, numbered(2))) {
      assertThatThrownBy(() -> results.forEachRemaining(result -> {}))
          .isInstanceOf(BrokenContractException.class)
          .hasMessageContaining(message);
    }
  }

  private Consumer<ExtractRequest> answerEach(ServerCallStreamObserver<ExtractResponse> responses) {
    worker.afterLastRequest = responses::onCompleted;
    return request -> {
      if (request.hasSpec()) {
        responses.onNext(ready(Pooling.POOLING_MEAN));
      } else if (request.hasItems()) {
        responses.onNext(
            results(
                request.getItems().getItemsList().stream()
                    .map(ExtractScenarios::answer)
                    .toArray(ItemResult[]::new)));
      }
    };
  }

  private static Iterable<Item> numbered(int count) {
    return Items.texts(Collections.nCopies(count, "text"));
  }

  private static Iterator<Item> draining(
      BlockingQueue<Item> source, CountDownLatch pulled, CountDownLatch interrupted) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return true;
      }

      @Override
      public Item next() {
        pulled.countDown();
        try {
          return source.take();
        } catch (InterruptedException expected) {
          interrupted.countDown();
          throw new IllegalStateException(expected);
        }
      }
    };
  }

  private static ExtractResponse ready(Pooling pooling) {
    return ExtractResponse.newBuilder()
        .setReady(
            ExtractReady.newBuilder()
                .setFeatures(FeatureSpec.newBuilder().setPooling(pooling))
                .setFeatureSize(1)
                .setBackboneDigest("feed"))
        .build();
  }

  private static ItemResult answer(Item item) {
    return result(item.getNumber(), (float) item.getNumber());
  }

  private static ItemResult result(long number, float... feature) {
    return ItemResult.newBuilder()
        .setNumber(number)
        .setFeatures(Tensors.fromFloats(feature, feature.length))
        .setTokens(3)
        .build();
  }

  private static ItemResult rows(long number, int firstRow, int tokens, float... rows) {
    return ItemResult.newBuilder()
        .setNumber(number)
        .setFeatures(Tensors.fromFloats(rows, rows.length, 1))
        .setFirstRow(firstRow)
        .setTokens(tokens)
        .build();
  }

  private static ExtractResponse results(ItemResult... results) {
    return ExtractResponse.newBuilder()
        .setResults(ResultBatch.newBuilder().addAllResults(List.of(results)))
        .build();
  }
}

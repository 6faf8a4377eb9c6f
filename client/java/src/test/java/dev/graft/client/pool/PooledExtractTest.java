package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.graft.client.ExtractJob;
import dev.graft.client.InvalidRequestException;
import dev.graft.client.Items;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Pooling;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Items spread over workers of which some misbehave: the result is always the same. */
@Timeout(60)
class PooledExtractTest {
  private static final ExtractJob JOB = ExtractJob.of(ExtractSpec.getDefaultInstance());
  private static final List<Item> ITEMS = items(100);

  /** Ten items of a shard. */
  private static PoolOptions options() {
    return new PoolOptions().shards(1_000, 10).backoff(Duration.ofMillis(1), Duration.ofMillis(4));
  }

  private static List<Item> items(int count) {
    return IntStream.range(0, count).mapToObj(i -> Items.text(1000 + i, "text " + i)).toList();
  }

  private static List<ItemResult> undisturbed() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      return all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS));
    }
  }

  private static List<ItemResult> all(PooledExtract extract) {
    List<ItemResult> results = new ArrayList<>();
    extract.forEachRemaining(results::add);
    return results;
  }

  @Test
  void resultsComeInTheOrderOfTheItemsWhoeverComputesThem() {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(first.name() + "," + second.name(), options().callsPerWorker(1))) {
      WorkerPoolTest.awaitUp(pool, 2);
      PooledExtract extract = pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS);
      assertThat(extract.ready().getBackboneDigest()).isEqualTo("backbone");
      List<ItemResult> results = all(extract);
      assertThat(results)
          .extracting(ItemResult::getNumber)
          .containsExactlyElementsOf(ITEMS.stream().map(Item::getNumber).toList());
      assertThat(results).isEqualTo(undisturbed());
      assertThat(first.calls.get() + second.calls.get()).isEqualTo(10);
    }
  }

  @Test
  void resultsCanComeAsTheyAreDone() {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(first.name() + "," + second.name(), options())) {
      assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.AS_DONE)))
          .containsExactlyInAnyOrderElementsOf(undisturbed());
    }
  }

  @Test
  void shardsOfTokenFeaturesAreSmall() {
    ExtractSpec.Builder spec = ExtractSpec.newBuilder();
    spec.getFeaturesBuilder().setPooling(Pooling.POOLING_NONE);
    List<Item> items =
        IntStream.range(0, 10).mapToObj(i -> Items.text(i, "x".repeat(4 * 999))).toList();
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name())) {
      assertThat(all(pool.extract(JOB, items, ResultOrder.OF_ITEMS))).hasSize(10);
      assertThat(worker.calls).hasValue(1);
      // Items have a thousand tokens each, as estimated.
      ExtractJob unpooled = ExtractJob.of(spec.build());
      assertThat(all(pool.extract(unpooled, items, ResultOrder.OF_ITEMS))).hasSize(10);
      assertThat(worker.calls).hasValue(1 + 5);
    }
  }

  @Test
  void noItemsAreACallThatChecksTheSpec() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      PooledExtract extract = pool.extract(JOB, List.of(), ResultOrder.OF_ITEMS);
      assertThat(extract.hasNext()).isFalse();
      assertThat(extract.ready().getFeatureSize()).isEqualTo(1);
    }
  }

  @Test
  void aWorkerThatDiesLosesNothing() {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(first.name() + "," + second.name(), options())) {
      WorkerPoolTest.awaitUp(pool, 2);
      first.answer =
          (items, responses) -> {
            responses.onNext(FarmWorker.ready("backbone"));
            first.kill();
          };
      assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS))).isEqualTo(undisturbed());
    }
  }

  @Test
  void aWorkerThatHangsIsGivenUp() {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(
                first.name() + "," + second.name(),
                options().hedgeAfter(Duration.ofHours(1)).stallTimeout(Duration.ofMillis(200)))) {
      WorkerPoolTest.awaitUp(pool, 2);
      first.answer = (items, responses) -> responses.onNext(FarmWorker.ready("backbone"));
      assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS))).isEqualTo(undisturbed());
    }
  }

  @Test
  void aWorkerThatIsSlowIsHedged() throws InterruptedException {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(
                first.name() + "," + second.name(), options().hedgeAfter(Duration.ofMillis(50)))) {
      WorkerPoolTest.awaitUp(pool, 2);
      Events events = Events.of(pool);
      first.answer = (items, responses) -> {}; // slower than the test
      assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS))).isEqualTo(undisturbed());
      assertThat(events.await(PoolEvent.ShardStarted.class, PoolEvent.ShardStarted::hedge).worker())
          .isEqualTo(second.name());
    }
  }

  @Test
  void aWorkerThatHasTooMuchToDoIsAskedAgain() throws InterruptedException {
    AtomicInteger refusals = new AtomicInteger();
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      Events events = Events.of(pool);
      worker.answer =
          (items, responses) -> {
            if (refusals.incrementAndGet() <= 5) {
              responses.onError(
                  failure(Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", Duration.ofMillis(7)));
            } else {
              FarmWorker.results(items, responses);
            }
          };
      assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS))).isEqualTo(undisturbed());
      PoolEvent.ShardRetried retried = events.await(PoolEvent.ShardRetried.class);
      assertThat(retried.why()).isEqualTo("TOO_MANY_CALLS");
      assertThat(retried.pause()).isGreaterThan(Duration.ofMillis(7));
    }
  }

  @Test
  void aWorkerThatIsFullDrawsNoShardsToItself() {
    try (FarmWorker full = FarmWorker.start();
        FarmWorker other = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(full.name() + "," + other.name(), options().mostAttempts(1))) {
      WorkerPoolTest.awaitUp(pool, 2);
      full.answer = PooledExtractTest::refuse;
      assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS))).isEqualTo(undisturbed());
    }
  }

  @Test
  void aFarmThatStaysFullEndsTheJobsPatience() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(
                worker.name(), options().mostAttempts(1).patience(Duration.ofMillis(700)))) {
      WorkerPoolTest.awaitUp(pool, 1);
      worker.answer = PooledExtractTest::refuse;
      assertThatThrownBy(() -> all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS)))
          .isInstanceOf(IncompleteJobException.class)
          .hasMessageContaining("no worker had room for 700 ms")
          .hasMessageContaining(worker.name() + " refuses calls");
    }
  }

  @Test
  void aFarmThatIsFullOfOtherJobsEndsAJobsPatience() throws InterruptedException {
    CountDownLatch called = new CountDownLatch(1);
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(
                worker.name(), options().callsPerWorker(1).patience(Duration.ofMillis(700)))) {
      WorkerPoolTest.awaitUp(pool, 1);
      worker.answer = (items, responses) -> called.countDown();
      try (PooledExtract unfinished = pool.extract(JOB, items(1), ResultOrder.OF_ITEMS)) {
        assertThat(called.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(unfinished).isNotNull();
        assertThatThrownBy(() -> all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS)))
            .isInstanceOf(IncompleteJobException.class)
            .hasMessageContaining(worker.name() + " has the 1 calls");
        assertThat(pool.workers().get(0).outstandingTokens()).isPositive(); // it holds it still
      }
    }
  }

  @Test
  void aJobDoesNotKeepOthersOut() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options().callsPerWorker(1))) {
      Iterator<Item> endless =
          IntStream.iterate(0, i -> i + 1).mapToObj(i -> Items.text(i, "text")).iterator();
      try (PooledExtract first = pool.extract(JOB, () -> endless, ResultOrder.OF_ITEMS)) {
        Thread reader = new Thread(() -> first.forEachRemaining(result -> {}));
        reader.setUncaughtExceptionHandler((thread, closed) -> {});
        reader.start();
        first.ready();
        assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS))).isEqualTo(undisturbed());
      }
    }
  }

  @Test
  void whatNoWorkerCanDoFailsAtOnce() throws InterruptedException {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(
                first.name() + "," + second.name(), options().patience(Duration.ofDays(1)))) {
      WorkerPoolTest.awaitUp(pool, 2);
      assertThatThrownBy(
              () ->
                  all(
                      pool.extract(
                          JOB,
                          ITEMS,
                          ResultOrder.OF_ITEMS,
                          Requirements.none().withDevice("cuda"))))
          .isInstanceOf(IncompleteJobException.class)
          .hasMessageContaining("no worker has what the job needs")
          .hasMessageContaining(first.name() + " lacks device cuda (it has cpu)")
          .hasMessageContaining(second.name() + " lacks device cuda (it has cpu)");
      ExtractSpec.Builder spec = ExtractSpec.newBuilder();
      spec.getFeaturesBuilder().setComputeDtype(ComputeDtype.COMPUTE_DTYPE_BF16);
      assertThatThrownBy(
              () -> all(pool.extract(ExtractJob.of(spec.build()), ITEMS, ResultOrder.OF_ITEMS)))
          .isInstanceOf(IncompleteJobException.class)
          .hasMessageContaining("lacks compute type BF16 (it has FP32)");
      assertThat(first.calls.get() + second.calls.get()).isZero();
    }
  }

  @Test
  void aRateLimitDelaysAJobHoweverLittlePatienceItHas() {
    // A shard has 30 tokens, as estimated.
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(
                worker.name(),
                options().workerTokensPerSecond(20).patience(Duration.ofMillis(1)))) {
      WorkerPoolTest.awaitUp(pool, 1);
      assertThat(all(pool.extract(JOB, items(30), ResultOrder.OF_ITEMS))).hasSize(30);
      assertThat(worker.calls).hasValue(3);
    }
  }

  private static void refuse(List<Item> items, StreamObserver<ExtractResponse> responses) {
    responses.onError(refusal());
  }

  /** What a worker says that has as many calls as it takes. */
  static StatusRuntimeException refusal() {
    return failure(Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", Duration.ofMillis(3));
  }

  @Test
  void aFailureThatStaysIsTheCallers() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      worker.answer =
          (items, responses) ->
              responses.onError(
                  failure(Status.Code.INVALID_ARGUMENT, "INVALID_ITEM", Duration.ZERO));
      assertThatThrownBy(() -> all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS)))
          .isInstanceOf(InvalidRequestException.class);
    }
  }

  @Test
  void aJobThatCannotGoOnNamesWhatIsMissing() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options().mostAttempts(3))) {
      worker.answer =
          (items, responses) -> {
            if (items.get(0).getNumber() == 1020) {
              responses.onError(failure(Status.Code.INTERNAL, "INTERNAL", Duration.ZERO));
            } else {
              FarmWorker.results(items, responses);
            }
          };
      PooledExtract extract = pool.extract(JOB, items(30), ResultOrder.OF_ITEMS);
      List<Long> given = new ArrayList<>();
      IncompleteJobException incomplete =
          catchThrowableOfType(
              IncompleteJobException.class,
              () -> extract.forEachRemaining(result -> given.add(result.getNumber())));
      assertThat(incomplete)
          .hasMessageContaining("3 attempts failed")
          .hasMessageContaining("missing are 10 items: 1020-1029");
      assertThat(given).hasSize(20);
      assertThat(incomplete.missingItems()).hasSize(10).startsWith(1020L);
    }
  }

  @Test
  void aJobWaitsForWorkersAsLongAsItsPatience() throws InterruptedException {
    FarmWorker worker = FarmWorker.start();
    worker.close();
    try (WorkerPool pool =
        WorkerPool.connect(worker.name(), options().patience(Duration.ofMillis(600)))) {
      assertThatThrownBy(() -> all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS)))
          .isInstanceOf(IncompleteJobException.class)
          .hasMessageContaining("no worker was alive");
    }
    try (WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      PooledExtract extract = pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS);
      try (FarmWorker again = FarmWorker.at(worker.port())) {
        assertThat(all(extract)).isEqualTo(undisturbed());
        assertThat(again.calls).hasValue(10);
      }
    }
  }

  @Test
  void anotherBackboneIsNotMixedIn() {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool =
            WorkerPool.connect(first.name() + "," + second.name(), options().callsPerWorker(1))) {
      WorkerPoolTest.awaitUp(pool, 2);
      second.answer =
          (items, responses) -> {
            responses.onNext(FarmWorker.ready("another"));
            responses.onNext(
                ExtractResponse.newBuilder().setResults(FarmWorker.batch(items)).build());
            responses.onCompleted();
          };
      assertThatThrownBy(() -> all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS)))
          .isInstanceOf(IncompleteJobException.class)
          .hasMessageContaining("another backbone");
    }
  }

  @Test
  void itemsArePulledOnlyAsResultsAreTaken() throws InterruptedException {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      WorkerPoolTest.awaitUp(pool, 1);
      Events events = Events.of(pool);
      AtomicInteger pulled = new AtomicInteger();
      Iterator<Item> endless =
          IntStream.iterate(0, i -> i + 1)
              .peek(i -> pulled.incrementAndGet())
              .mapToObj(i -> Items.text(i, "text"))
              .iterator();
      try (PooledExtract extract = pool.extract(JOB, () -> endless, ResultOrder.OF_ITEMS)) {
        // The window: two calls' worth for each of the two places.
        for (int shard = 0; shard < 4; shard++) {
          events.await(PoolEvent.ShardDone.class);
        }
        assertThat(pulled.get()).isLessThanOrEqualTo(41);
        for (int i = 0; i < 1_000; i++) {
          assertThat(extract.next().getNumber()).isEqualTo(i);
        }
        assertThat(pulled.get()).isLessThanOrEqualTo(1_051);
      }
    }
  }

  @Test
  void whatTheItemsThrowIsTheCallers() {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      Iterable<Item> broken =
          () -> {
            throw new IllegalStateException("no such file");
          };
      assertThatThrownBy(() -> all(pool.extract(JOB, broken, ResultOrder.OF_ITEMS)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("no such file");
    }
  }

  @Test
  void closingThePoolEndsItsJobs() throws InterruptedException {
    CountDownLatch called = new CountDownLatch(1);
    BiConsumer<List<Item>, StreamObserver<ExtractResponse>> never =
        (items, responses) -> called.countDown();
    try (FarmWorker worker = FarmWorker.start()) {
      worker.answer = never;
      WorkerPool pool = WorkerPool.connect(worker.name(), options());
      PooledExtract extract = pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS);
      assertThat(called.await(20, TimeUnit.SECONDS)).isTrue();
      pool.close();
      assertThatThrownBy(extract::hasNext)
          .isInstanceOf(IncompleteJobException.class)
          .hasMessageContaining("the pool was closed");
    }
  }

  @Test
  void aDefectOfThePoolEndsItsJobs() throws InterruptedException {
    CountDownLatch called = new CountDownLatch(1);
    RuntimeException defect = new IllegalStateException("a defect");
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name(), options())) {
      worker.answer = (items, responses) -> called.countDown();
      PooledExtract extract = pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS);
      assertThat(called.await(20, TimeUnit.SECONDS)).isTrue();
      pool.loop()
          .execute(
              () -> {
                throw defect;
              });
      assertThatThrownBy(extract::hasNext)
          .isInstanceOf(IncompleteJobException.class)
          .hasMessageContaining("a defect")
          .hasMessageContaining("1000-")
          .hasCause(defect);
      worker.answer = FarmWorker::results;
      assertThat(all(pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS))).isEqualTo(undisturbed());
    }
  }

  private static StatusRuntimeException failure(Status.Code code, String reason, Duration delay) {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage("a failure of the test")
            .addDetails(Any.pack(ErrorInfo.newBuilder().setReason(reason).build()))
            .addDetails(
                Any.pack(
                    RetryInfo.newBuilder()
                        .setRetryDelay(
                            com.google.protobuf.Duration.newBuilder()
                                .setNanos((int) delay.toNanos()))
                        .build()))
            .build());
  }
}

package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.PooledTraining;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Objective;
import dev.graft.v1.Pooling;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three workers in processes of their own, to which things happen: the result stays the same. */
@Timeout(180)
class FarmTest {
  private static final ExtractJob JOB =
      ExtractJob.of(
          ExtractSpec.newBuilder().setFeatures(TinyModel.features(Pooling.POOLING_MEAN)).build());
  private static final List<Item> ITEMS = TinyModel.labelled(600, 1);

  private static final TrainJob TRAINING =
      TrainJob.of(
              TrainSpec.newBuilder()
                  .setFeatures(TinyModel.features(Pooling.POOLING_MEAN))
                  .setProjector(
                      Projector.newBuilder()
                          .setKind(ProjectorKind.PROJECTOR_KIND_MLP)
                          .addHiddenSizes(2048)
                          .setDropout(0.1f))
                  .setObjective(
                      Objective.newBuilder()
                          .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(3)))
                  .setArguments(
                      TrainingArguments.newBuilder()
                          .setMaxSteps(400)
                          .setLoggingSteps(1)
                          .setSaveSteps(100))
                  .build(),
              TinyModel.labelled(60, 1))
          .withEvalItems(TinyModel.labelled(20, 2));

  private static List<ItemResult> expected;
  private static ByteString expectedProjector;

  private final List<WorkerProcess> workers = new ArrayList<>();

  @BeforeAll
  static void undisturbed() throws Exception {
    try (WorkerProcess worker = WorkerProcess.serve(TinyModel.ROOT);
        WorkerPool pool = WorkerPool.connect(worker.address(), options())) {
      expected = new ArrayList<>();
      pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS).forEachRemaining(expected::add);
      expectedProjector = train(pool, event -> {}).projectorFile();
    }
  }

  @BeforeEach
  void startWorkers() throws Exception {
    for (int i = 0; i < 3; i++) {
      workers.add(WorkerProcess.serve(TinyModel.ROOT));
    }
  }

  @AfterEach
  void stopWorkers() {
    workers.forEach(WorkerProcess::close);
  }

  private static PoolOptions options() {
    return new PoolOptions().shards(256, 64).stallTimeout(Duration.ofSeconds(3));
  }

  private WorkerPool pool(PoolOptions options) {
    return WorkerPool.connect(
        String.join(",", workers.stream().map(WorkerProcess::address).toList()), options);
  }

  @Test
  void nothingHappens() {
    try (WorkerPool pool = pool(options())) {
      assertThat(extract(pool, 3, () -> {})).isEqualTo(expected);
    }
  }

  @Test
  void aWorkerIsKilled() {
    try (WorkerPool pool = pool(options())) {
      Counting lost = Counting.of(pool, PoolEvent.WorkerDown.class, event -> true);
      assertThat(extract(pool, 3, () -> workers.get(0).kill())).isEqualTo(expected);
      lost.await(1);
    }
  }

  @Test
  void aWorkerThatHangsIsHedged() {
    try (WorkerPool pool = pool(options().stallTimeout(Duration.ofMinutes(2)))) {
      Counting hedged =
          Counting.of(pool, PoolEvent.ShardStarted.class, PoolEvent.ShardStarted::hedge);
      awaitUp(pool, 3);
      workers.get(1).suspend(); // before it gets shards: it could be done with all it ever gets
      assertThat(extract(pool, 3, () -> {})).isEqualTo(expected);
      hedged.await(1);
    }
  }

  @Test
  void aWorkerThatHangsIsGivenUp() {
    Duration never = Duration.ofHours(1);
    Duration soon = Duration.ofSeconds(5); // a suspended worker has sent no first message either
    try (WorkerPool pool =
        pool(options().hedgeAfter(never).stallTimeout(soon).firstMessageTimeout(soon))) {
      Counting stalled =
          Counting.of(pool, PoolEvent.ShardRetried.class, event -> event.why().equals("STALLED"));
      awaitUp(pool, 3);
      workers.get(1).suspend();
      assertThat(extract(pool, 3, () -> {})).isEqualTo(expected);
      stalled.await(1);
    }
  }

  @Test
  void aConnectionIsCut() {
    try (BreakableConnection connection = BreakableConnection.to(workers.get(2).port());
        WorkerPool pool =
            WorkerPool.connect(
                workers.get(0).address() + ",127.0.0.1:" + connection.port(), options())) {
      Counting lost = Counting.of(pool, PoolEvent.WorkerDown.class, event -> true);
      assertThat(extract(pool, 2, connection::cut)).isEqualTo(expected);
      lost.await(1);
    }
  }

  @Test
  void theWorkerThatTrainsIsKilled() {
    AtomicInteger kills = new AtomicInteger();
    try (WorkerPool pool = pool(options())) {
      Counting moves = Counting.of(pool, PoolEvent.TrainingMoved.class, event -> true);
      TrainEvent.Completed completed =
          train(
              pool,
              event -> {
                if (event instanceof TrainEvent.CheckpointSaved && kills.get() < 2) {
                  killTheOneThatTrains();
                  kills.incrementAndGet();
                }
              });
      assertThat(kills).hasValue(2);
      moves.await(2);
      assertThat(completed.projectorFile()).isEqualTo(expectedProjector);
    }
  }

  private void killTheOneThatTrains() {
    List<WorkerProcess> training =
        workers.stream().filter(WorkerProcess::isAlive).filter(FarmTest::isAtWork).toList();
    assertThat(training).as("the one that trains").hasSize(1);
    training.get(0).kill();
  }

  private static boolean isAtWork(WorkerProcess worker) {
    try (GraftClient client = worker.client()) {
      return client.describe().getActiveCalls() > 0;
    }
  }

  private interface Watch {
    void hear(TrainEvent event);
  }

  private static TrainEvent.Completed train(WorkerPool pool, Watch watch) {
    try (PooledTraining training = pool.train(TRAINING)) {
      TrainEvent last = null;
      long step = 0;
      while (training.hasNext()) {
        last = training.next();
        watch.hear(last);
        if (last instanceof TrainEvent.Log log) {
          assertThat(log.entry().getStep()).as("logged once").isEqualTo(++step);
        }
      }
      return (TrainEvent.Completed) last;
    }
  }

  /** Something happens when the first sixth of the results is there. */
  private static List<ItemResult> extract(WorkerPool pool, int count, Runnable happening) {
    awaitUp(pool, count);
    List<ItemResult> results = new ArrayList<>();
    try (PooledExtract extract = pool.extract(JOB, ITEMS, ResultOrder.OF_ITEMS)) {
      while (extract.hasNext()) {
        results.add(extract.next());
        if (results.size() == 100) {
          happening.run();
        }
      }
    }
    return results;
  }

  /** Or the one that something happens to might have no part in it. */
  private static void awaitUp(WorkerPool pool, int count) {
    while (upWorkers(pool) < count) {
      Thread.onSpinWait();
    }
  }

  private static long upWorkers(WorkerPool pool) {
    return pool.workers().stream().filter(worker -> worker.description().isPresent()).count();
  }

  /** Counts events, which come a little later than what they tell of. */
  private static final class Counting implements Flow.Subscriber<PoolEvent> {
    private final Predicate<PoolEvent> wanted;
    private final Semaphore seen = new Semaphore(0);

    private Counting(Predicate<PoolEvent> wanted) {
      this.wanted = wanted;
    }

    static <E extends PoolEvent> Counting of(
        WorkerPool pool, Class<E> type, Predicate<? super E> wanted) {
      Counting counting =
          new Counting(event -> type.isInstance(event) && wanted.test(type.cast(event)));
      pool.events().subscribe(counting);
      return counting;
    }

    void await(int count) {
      assertThat(tryForAWhile(count)).as("so many events").isTrue();
    }

    private boolean tryForAWhile(int count) {
      try {
        return seen.tryAcquire(count, 20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(PoolEvent event) {
      if (wanted.test(event)) {
        seen.release();
      }
    }

    @Override
    public void onError(Throwable thrown) {}

    @Override
    public void onComplete() {}
  }
}

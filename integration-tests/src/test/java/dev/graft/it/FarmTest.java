package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.TrainEvent;
import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.WorkerPool;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three workers in processes of their own, to which things happen: what the pool does about it. */
@Timeout(180)
class FarmTest {
  private static Farm farm;
  private static FarmJobs undisturbed;

  @BeforeAll
  static void startWorkers() throws Exception {
    farm = Farm.start(3);
    undisturbed = farm.undisturbed();
  }

  @AfterAll
  static void stopWorkers() {
    farm.close();
  }

  @AfterEach
  void reviveWorkers() throws Exception {
    farm.revive();
  }

  @Test
  void nothingHappens() {
    try (WorkerPool pool = connect(FarmJobs.options())) {
      undisturbed.extractAgain(pool, results -> {});
    }
  }

  @Test
  void aWorkerIsKilled() {
    FarmMember victim = farm.member(0);
    try (WorkerPool pool = connect(FarmJobs.options())) {
      FarmLog log = FarmLog.of(pool);
      undisturbed.extractAgain(pool, early(() -> victim.process().kill()));
      log.await("a worker to be lost", event -> isLossOf(victim, event));
    }
  }

  @Test
  void aWorkerThatHangsIsHedged() {
    Duration long_ = Duration.ofMinutes(2);
    try (WorkerPool pool =
        connect(FarmJobs.options().stallTimeout(long_).firstMessageTimeout(long_))) {
      FarmLog log = FarmLog.of(pool);
      farm.member(1)
          .process()
          .suspend(); // before it gets shards: it could be done with all it gets
      undisturbed.extractAgain(pool, results -> {});
      log.await("a hedge", event -> event instanceof PoolEvent.ShardStarted hedge && hedge.hedge());
    }
  }

  @Test
  void aWorkerThatHangsIsGivenUp() {
    try (WorkerPool pool = connect(FarmJobs.options().hedgeAfter(Duration.ofHours(1)))) {
      FarmLog log = FarmLog.of(pool);
      farm.member(1).process().suspend();
      undisturbed.extractAgain(pool, results -> {});
      log.await(
          "a stall",
          event ->
              event instanceof PoolEvent.ShardRetried retried && retried.why().equals("STALLED"));
    }
  }

  @Test
  void aConnectionIsCut() {
    FarmMember victim = farm.member(2);
    try (WorkerPool pool = connect(FarmJobs.options())) {
      FarmLog log = FarmLog.of(pool);
      undisturbed.extractAgain(pool, early(() -> victim.connection().cut()));
      log.await("a worker to be lost", event -> isLossOf(victim, event));
    }
  }

  @Test
  void theWorkerThatTrainsIsKilled() {
    AtomicInteger kills = new AtomicInteger();
    try (WorkerPool pool = connect(FarmJobs.options())) {
      FarmLog log = FarmLog.of(pool);
      undisturbed.trainAgain(
          pool,
          event -> {
            if (event instanceof TrainEvent.CheckpointSaved && kills.get() < 2) {
              theOneThatTrains(pool).process().kill();
              kills.incrementAndGet();
            }
          });
      assertThat(kills).hasValue(2);
      log.await("another worker to train", event -> event instanceof PoolEvent.TrainingMoved);
    }
  }

  private static FarmMember theOneThatTrains(WorkerPool pool) {
    return farm.member(FarmJobs.theOneThatTrains(pool));
  }

  private static boolean isLossOf(FarmMember member, PoolEvent event) {
    return event instanceof PoolEvent.WorkerDown down && down.worker().equals(member.name());
  }

  /** Something happens when the first results are there. */
  private static IntConsumer early(Runnable happening) {
    return results -> {
      if (results == 100) {
        happening.run();
      }
    };
  }

  private static WorkerPool connect(PoolOptions options) {
    return FarmJobs.connect(farm.names(), options);
  }
}

package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.pool.WorkerPool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Four workers in processes of their own, behind real connections, to which faults happen as a seed
 * says: whatever job runs gives the bytes of the undisturbed one, each item once and in order. Jobs
 * are repeated until the last fault is over.
 *
 * <p>{@code -Dgraft.farm.seed=N} or {@code =FIRST-LAST} says which seeds; the default is a few that
 * have faults of all kinds in them.
 */
class FaultScheduleTest {
  private static final int WORKERS = 4;
  private static final List<Long> FEW_SEEDS = List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L);

  private static Farm farm;
  private static FarmJobs undisturbed;

  @BeforeAll
  static void startWorkers() throws Exception {
    farm = Farm.start(WORKERS);
    undisturbed = farm.undisturbed();
  }

  @AfterAll
  static void stopWorkers() {
    farm.close();
  }

  static List<Long> seeds() {
    String chosen = System.getProperty("graft.farm.seed");
    if (chosen != null) {
      String[] ends = chosen.split("-", 2);
      return LongStream.rangeClosed(Long.parseLong(ends[0]), Long.parseLong(ends[ends.length - 1]))
          .boxed()
          .toList();
    }
    return FEW_SEEDS;
  }

  @Test
  void theFewSeedsHaveAllFaultsAndJobs() {
    List<FaultSchedule> schedules =
        FEW_SEEDS.stream().map(seed -> FaultSchedule.of(seed, WORKERS)).toList();
    Set<Fault.Kind> kinds =
        schedules.stream()
            .flatMap(schedule -> schedule.faults().stream())
            .map(Fault::kind)
            .collect(Collectors.toSet());
    assertThat(kinds).isEqualTo(EnumSet.allOf(Fault.Kind.class));
    assertThat(schedules).extracting(FaultSchedule::trains).contains(true, false);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  @Timeout(300)
  void theResultIsThatOfTheUndisturbedJob(long seed) throws Exception {
    FaultSchedule schedule = FaultSchedule.of(seed, WORKERS);
    try (WorkerPool pool =
        WorkerPool.connect(farm.targets(), FarmJobs.options().hedgeAfter(schedule.hedgeAfter()))) {
      FarmLog log = FarmLog.of(pool);
      log.add(schedule.toString());
      try {
        work(schedule, pool, log);
      } catch (Exception | AssertionError failure) {
        throw new AssertionError(
            "seed %d fails; -Dgraft.farm.seed=%<d repeats it. What happened:%n%s"
                .formatted(seed, log),
            failure);
      } finally {
        Files.writeString(Path.of("target", "farm-seed-" + seed + ".log"), log.toString());
        farm.revive();
      }
    }
  }

  private static void work(FaultSchedule schedule, WorkerPool pool, FarmLog log) throws Exception {
    try (FaultInjection faults = FaultInjection.begin(schedule, farm.members(), pool, log)) {
      do {
        if (schedule.trains()) {
          undisturbed.trainAgain(pool, event -> {});
        } else {
          undisturbed.extractAgain(pool, results -> {});
        }
        log.add("a job is done, with the undisturbed result");
        faults.breathe();
      } while (!faults.isOver());
      faults.requireAllHappened();
    }
  }
}

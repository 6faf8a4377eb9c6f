package dev.graft.it;

import dev.graft.it.Fault.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What happens to a farm while it works, all drawn from a seed. Faults of several workers overlap,
 * up to all of them being away at once; those of one worker come one after the other. Since each
 * fault ends, every schedule leaves the farm able to finish.
 *
 * @param trains whether the job is a training; else an extraction
 * @param hedgeAfter an hour in some: other remedies have to do
 */
record FaultSchedule(long seed, boolean trains, Duration hedgeAfter, List<Fault> faults) {
  private static final int LATEST_MILLIS = 3_000;

  /** All but the rolling restart, which would make most schedules long. */
  private static final List<Kind> FREQUENT =
      List.of(
          Kind.KILL,
          Kind.HANG,
          Kind.FINISH,
          Kind.CUT,
          Kind.RESET_IN_MESSAGE,
          Kind.SLOW,
          Kind.EXHAUSTED);

  static FaultSchedule of(long seed, int workers) {
    SplittableRandom random = new SplittableRandom(seed);
    boolean trains = random.nextInt(4) == 0;
    Duration hedgeAfter = random.nextInt(3) == 0 ? Duration.ofHours(1) : Duration.ofMillis(500);
    List<Fault> faults = new ArrayList<>();
    if (random.nextInt(6) == 0) {
      faults.add(fault(Kind.ROLLING_RESTART, random, workers));
    }
    int count = 3 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      faults.add(fault(FREQUENT.get(random.nextInt(FREQUENT.size())), random, workers));
    }
    faults.sort(Comparator.comparingInt(Fault::atMillis));
    return new FaultSchedule(seed, trains, hedgeAfter, List.copyOf(faults));
  }

  private static Fault fault(Kind kind, SplittableRandom random, int workers) {
    int lasting = 300 + random.nextInt(2_200);
    return new Fault(
        kind,
        random.nextInt(LATEST_MILLIS),
        random.nextInt(workers),
        kind == Kind.HANG ? 2 * lasting : lasting); // some longer than a call may stall
  }
}

package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** When a job has waited long enough. */
class PatienceTest {
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();

  private long now = Long.MAX_VALUE - MINUTE; // clocks may overflow
  private int alive = 1;
  private OptionalLong lastDone = OptionalLong.empty();
  private Optional<String> never = Optional.empty();
  private boolean heldBack;
  private final Patience patience =
      new Patience(
          new Workforce() {
            @Override
            public Optional<Place> take(
                WorkerChoice choice, long tokens, Set<String> avoided, Set<String> excluded) {
              return Optional.empty();
            }

            @Override
            public int calls() {
              return 2 * alive;
            }

            @Override
            public Optional<String> whyNever(WorkerChoice choice) {
              return never;
            }

            @Override
            public boolean isHeldBack(WorkerChoice choice) {
              return heldBack;
            }

            @Override
            public int alive() {
              return alive;
            }

            @Override
            public OptionalLong lastDone(WorkerChoice choice) {
              return lastDone;
            }

            @Override
            public String whyNobody(WorkerChoice choice) {
              return "all are full";
            }
          },
          WorkerChoice.withoutBackbone(Requirements.none()),
          Duration.ofMinutes(2),
          () -> now);

  @Test
  void itEnds() {
    assertThat(patience.waits()).isEmpty();
    now += 2 * MINUTE - 1;
    assertThat(patience.waits()).isEmpty();
    now++;
    assertThat(patience.waits()).contains("no worker had room for 2 min (all are full)");
    alive = 0;
    assertThat(patience.waits()).contains("no worker was alive for 2 min (all are full)");
  }

  @Test
  void itBeginsAnewWhenTheJobGetsOn() {
    assertThat(patience.waits()).isEmpty();
    now += MINUTE;
    patience.gotOn();
    now += MINUTE;
    assertThat(patience.waits()).isEmpty();
    now += MINUTE;
    assertThat(patience.waits()).isEmpty();
    now += MINUTE;
    assertThat(patience.waits()).isPresent();
  }

  @Test
  void itBeginsAnewWhenCallsOfOthersAreDone() {
    assertThat(patience.waits()).isEmpty();
    now += MINUTE;
    lastDone = OptionalLong.of(now);
    now += MINUTE;
    assertThat(patience.waits()).isEmpty();
    now += MINUTE;
    assertThat(patience.waits()).isPresent();
  }

  @Test
  void whatWasDoneBeforeDoesNotCount() {
    lastDone = OptionalLong.of(now - MINUTE);
    assertThat(patience.waits()).isEmpty();
    now += 2 * MINUTE;
    assertThat(patience.waits()).isPresent();
  }

  @Test
  void whatNoWorkerCanDoIsNotWaitedFor() {
    never = Optional.of("one lacks a device");
    assertThat(patience.waits()).contains("no worker has what the job needs: one lacks a device");
    patience.gotOn(); // there was one, which may come back
    assertThat(patience.waits()).isEmpty();
  }

  @Test
  void thePoolsOwnRateLimitIsWaitedForAsLongAsItTakes() {
    heldBack = true;
    assertThat(patience.waits()).isEmpty();
    now += 3 * MINUTE;
    assertThat(patience.waits()).isEmpty();
    heldBack = false;
    assertThat(patience.waits()).isEmpty();
    now += 2 * MINUTE;
    assertThat(patience.waits()).isPresent();
  }
}

package dev.graft.client.pool;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * How long a job has waited for a worker without getting on. Whoever waits while calls of other
 * jobs are done gets on too: its turn comes nearer. Used in the pool's synchronization context
 * only.
 */
final class Patience {
  private final Workforce workforce;
  private final WorkerChoice choice;
  private final Duration limit;
  private final LongSupplier nanoTime;
  private boolean hasGotOn; // so there was a worker that could do it, and may be again
  private OptionalLong since = OptionalLong.empty(); // empty while it does not wait

  Patience(Workforce workforce, WorkerChoice choice, Duration limit, LongSupplier nanoTime) {
    this.workforce = workforce;
    this.choice = choice;
    this.limit = limit;
    this.nanoTime = nanoTime;
  }

  /** A worker did something for the job. */
  void gotOn() {
    hasGotOn = true;
    rests();
  }

  /** The job does not wait for workers. */
  void rests() {
    since = OptionalLong.empty();
  }

  /**
   * The job waits, and has no call under way. Says why in vain, once that was too long, or at once
   * if no worker can ever do it.
   */
  Optional<String> waits() {
    Optional<String> never = hasGotOn ? Optional.empty() : workforce.whyNever(choice);
    if (never.isPresent()) {
      return never.map("no worker has what the job needs: %s"::formatted);
    }
    if (workforce.isHeldBack(choice)) {
      rests();
      return Optional.empty();
    }
    long now = nanoTime.getAsLong();
    if (since.isEmpty()) {
      since = OptionalLong.of(now);
    }
    OptionalLong done = workforce.lastDone(choice);
    if (done.isPresent() && done.getAsLong() - since.getAsLong() > 0) {
      since = done;
    }
    if (now - since.getAsLong() < limit.toNanos()) {
      return Optional.empty();
    }
    return Optional.of(
        "%s for %s (%s)"
            .formatted(
                workforce.alive() == 0 ? "no worker was alive" : "no worker had room",
                Durations.text(limit),
                workforce.whyNobody(choice)));
  }
}

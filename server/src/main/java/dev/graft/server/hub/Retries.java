package dev.graft.server.hub;

import dev.graft.server.GraftException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;

/**
 * Tries again what may pass. Waits double from one try to the next, or are as long as the hub asks
 * for; tries end when several in a row brought nothing.
 *
 * @param pause waits
 * @param mostFailures in a row without progress
 */
record Retries(Pause pause, int mostFailures) {
  private static final System.Logger LOG = System.getLogger(Retries.class.getName());
  private static final Duration FIRST_WAIT = Duration.ofSeconds(1);
  private static final int MOST_DOUBLINGS = 4;

  /** A hub that asks for more is not waited for. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);

  /** Even where each try brings a little. */
  private static final int MOST_TRIES = 1000;

  /** Something that may fail in passing. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws PassingFailure, InterruptedException;
  }

  <T> T run(Attempt<T> attempt) {
    return run(attempt, () -> 0);
  }

  /**
   * Runs until it succeeds.
   *
   * @param progress grows when a try that failed has brought something
   * @throws GraftException of the last failure
   */
  <T> T run(Attempt<T> attempt, LongSupplier progress) {
    int failures = 0;
    long before = progress.getAsLong();
    try {
      for (int tries = 1; ; tries++) {
        try {
          return attempt.run();
        } catch (PassingFailure failure) {
          failures = progress.getAsLong() > before ? 1 : failures + 1;
          before = progress.getAsLong();
          if (failures >= mostFailures || tries >= MOST_TRIES) {
            throw failure.error();
          }
          waitAfter(failure, failures);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("The download was interrupted.");
    }
  }

  private void waitAfter(PassingFailure failure, int failures) throws InterruptedException {
    Duration wait =
        failure
            .retryAfter()
            .orElse(FIRST_WAIT.multipliedBy(1L << Math.min(failures - 1, MOST_DOUBLINGS)));
    if (wait.compareTo(LONGEST_WAIT) > 0) {
      throw HubErrors.unavailable(
          "%s, and the hub asks to wait for %d seconds"
              .formatted(failure.error().getMessage(), wait.toSeconds()));
    }
    LOG.log(
        System.Logger.Level.INFO,
        () -> "%s (in %d s)".formatted(failure.error().getMessage(), wait.toSeconds()));
    pause.await(wait);
  }
}

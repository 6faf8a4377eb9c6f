package dev.graft.server.hub;

import dev.graft.server.GraftException;
import java.time.Duration;
import java.util.Optional;

/** A failure after which another try may succeed. */
final class PassingFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final GraftException error;
  private final transient Optional<Duration> retryAfter;

  /**
   * Wraps an error.
   *
   * @param error what callers learn if no other try succeeds
   * @param retryAfter how long the hub asked to wait
   */
  PassingFailure(GraftException error, Optional<Duration> retryAfter) {
    super(error);
    this.error = error;
    this.retryAfter = retryAfter;
  }

  GraftException error() {
    return error;
  }

  Optional<Duration> retryAfter() {
    return retryAfter;
  }
}

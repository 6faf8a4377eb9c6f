package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.server.GraftException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Catches domain errors. */
final class GraftExceptions {
  private GraftExceptions() {}

  /** The error that an action ends with; anything else fails the test. */
  static GraftException from(ThrowingCallable action) {
    GraftException error = catchThrowableOfType(GraftException.class, action);
    if (error == null) {
      throw new AssertionError("no GraftException was thrown");
    }
    return error;
  }

  /** For readers that must find no problem. */
  static GraftException unexpected(String problem) {
    throw new AssertionError(problem);
  }
}

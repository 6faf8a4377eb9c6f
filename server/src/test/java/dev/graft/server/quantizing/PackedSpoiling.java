package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.io.UncheckedIOException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Changes that make a checkpoint unreadable, and how it is refused. */
final class PackedSpoiling {
  private static final ObjectMapper JSON = new ObjectMapper();

  private PackedSpoiling() {}

  /** Sets an option to a value that is written in JSON. */
  static void set(ObjectNode options, String option, String value) {
    try {
      options.set(option, JSON.readTree(value));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The error that an action ends with; anything else fails the test. */
  static GraftException refusal(ThrowingCallable action) {
    GraftException error = catchThrowableOfType(GraftException.class, action);
    if (error == null) {
      throw new AssertionError("no GraftException was thrown");
    }
    return error;
  }
}

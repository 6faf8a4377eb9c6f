package dev.graft.server;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An error that the caller can understand and act on. Carries what becomes a gRPC status: a
 * category, a reason in UPPER_SNAKE, and the variables of the message as metadata.
 */
public final class GraftException extends RuntimeException {
  /** Coarse kind of an error; each is one gRPC status code. */
  public enum Category {
    INVALID_ARGUMENT,
    NOT_FOUND,
    PERMISSION_DENIED,
    FAILED_PRECONDITION,
    RESOURCE_EXHAUSTED,
    ABORTED,
    DATA_LOSS,
    UNAVAILABLE,
    DEADLINE_EXCEEDED
  }

  private static final long serialVersionUID = 1L;

  private final Category category;
  private final String reason;
  private final transient Map<String, String> metadata;

  private GraftException(
      Category category,
      String reason,
      String message,
      Map<String, String> metadata,
      Throwable cause) {
    super(message, cause);
    this.category = category;
    this.reason = reason;
    this.metadata = metadata;
  }

  /**
   * Makes an error.
   *
   * @param reason UPPER_SNAKE, one of those that the RPC's comment lists
   * @param message what was wrong, where, and what to do
   */
  public static GraftException of(Category category, String reason, String message) {
    return new GraftException(category, reason, message, Map.of(), null);
  }

  public static GraftException invalidArgument(String reason, String message) {
    return of(Category.INVALID_ARGUMENT, reason, message);
  }

  public static GraftException failedPrecondition(String reason, String message) {
    return of(Category.FAILED_PRECONDITION, reason, message);
  }

  /**
   * The same error with a variable of its message added; the key {@code field} names a request
   * field's path.
   */
  public GraftException with(String key, Object value) {
    Map<String, String> more = new LinkedHashMap<>(metadata);
    more.put(key, String.valueOf(value));
    return copy(more, getCause());
  }

  /** The same error with a cause, for the log. */
  public GraftException causedBy(Throwable cause) {
    return copy(metadata, cause);
  }

  private GraftException copy(Map<String, String> newMetadata, Throwable cause) {
    GraftException copy = new GraftException(category, reason, getMessage(), newMetadata, cause);
    copy.setStackTrace(getStackTrace());
    return copy;
  }

  public Category category() {
    return category;
  }

  public String reason() {
    return reason;
  }

  public Map<String, String> metadata() {
    return Map.copyOf(metadata);
  }
}

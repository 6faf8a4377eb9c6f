package dev.graft.client;

import com.google.rpc.BadRequest.FieldViolation;
import io.grpc.Status;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Everything that is known about a call that failed; {@link GraftRpcException} shows it. */
record Failure(
    Status.Code code,
    String reason,
    String message,
    Map<String, String> metadata,
    List<FieldViolation> fieldViolations,
    Optional<Duration> retryDelay,
    Optional<TrainEvent.CheckpointSaved> lastCheckpoint,
    Throwable cause)
    implements Serializable {

  /** A failure that was found on this side. */
  static Failure found(Status.Code code, String reason, String message) {
    return new Failure(
        code, reason, message, Map.of(), List.of(), Optional.empty(), Optional.empty(), null);
  }

  Failure with(String key, Object value) {
    return new Failure(
        code,
        reason,
        message,
        Map.of(key, value.toString()),
        fieldViolations,
        retryDelay,
        lastCheckpoint,
        cause);
  }

  /** The same about an item that the caller knows by another number. */
  Failure about(String item, String newMessage) {
    Map<String, String> newMetadata = new HashMap<>(metadata);
    newMetadata.put("item", item);
    return new Failure(
        code,
        reason,
        newMessage,
        Map.copyOf(newMetadata),
        fieldViolations,
        retryDelay,
        lastCheckpoint,
        cause);
  }

  Failure after(Optional<TrainEvent.CheckpointSaved> checkpoint) {
    return new Failure(
        code, reason, message, metadata, fieldViolations, retryDelay, checkpoint, cause);
  }

  private Object writeReplace() {
    return new Serialized(
        code,
        reason,
        message,
        new HashMap<>(metadata),
        new ArrayList<>(fieldViolations),
        retryDelay.orElse(null));
  }

  /**
   * What of it can travel: gRPC's exceptions are not serializable, and a checkpoint can have a
   * gigabyte.
   */
  private record Serialized(
      Status.Code code,
      String reason,
      String message,
      HashMap<String, String> metadata,
      ArrayList<FieldViolation> fieldViolations,
      Duration retryDelayOrNull)
      implements Serializable {
    private Object readResolve() {
      return new Failure(
          code,
          reason,
          message,
          Map.copyOf(metadata),
          List.copyOf(fieldViolations),
          Optional.ofNullable(retryDelayOrNull),
          Optional.empty(),
          null);
    }
  }
}

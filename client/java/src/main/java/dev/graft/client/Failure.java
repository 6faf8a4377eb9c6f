package dev.graft.client;

import com.google.rpc.BadRequest.FieldViolation;
import io.grpc.Status;
import java.time.Duration;
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
    Throwable cause) {

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

  Failure after(Optional<TrainEvent.CheckpointSaved> checkpoint) {
    return new Failure(
        code, reason, message, metadata, fieldViolations, retryDelay, checkpoint, cause);
  }
}

package dev.graft.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes typed exceptions from gRPC statuses and their details.
 *
 * @param worker the worker's address, for messages
 */
record StatusTranslation(String worker) {
  GraftRpcException translate(
      Throwable thrown, Optional<TrainEvent.CheckpointSaved> lastCheckpoint) {
    Status status = Status.fromThrowable(thrown);
    ErrorInfo info = ErrorInfo.getDefaultInstance();
    List<FieldViolation> violations = new ArrayList<>();
    Optional<Duration> retryDelay = Optional.empty();
    try {
      for (Any detail : details(thrown)) {
        if (detail.is(ErrorInfo.class)) {
          info = detail.unpack(ErrorInfo.class);
        } else if (detail.is(BadRequest.class)) {
          violations.addAll(detail.unpack(BadRequest.class).getFieldViolationsList());
        } else if (detail.is(RetryInfo.class)) {
          var delay = detail.unpack(RetryInfo.class).getRetryDelay();
          retryDelay = Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
        }
      }
    } catch (InvalidProtocolBufferException | IllegalArgumentException malformed) {
      thrown.addSuppressed(malformed); // the status itself still says what happened
    }
    return typed(
        new Failure(
            status.getCode(),
            info.getReason(),
            info.getReason().isEmpty() ? explained(status) : description(status),
            Map.copyOf(info.getMetadataMap()),
            List.copyOf(violations),
            retryDelay,
            lastCheckpoint,
            thrown));
  }

  private static List<Any> details(Throwable thrown) {
    com.google.rpc.Status status = StatusProto.fromThrowable(thrown);
    return status == null ? List.of() : status.getDetailsList();
  }

  static GraftRpcException typed(Failure failure) {
    return switch (failure.reason()) {
      case "BACKBONE_NOT_FOUND", "OUTSIDE_MODEL_ROOTS" -> new BackboneNotFoundException(failure);
      case "UNSUPPORTED_ARCHITECTURE", "UNSUPPORTED_OPTION", "UNSUPPORTED_FORMAT" ->
          new UnsupportedBackboneException(failure);
      case "CORRUPT_CHECKPOINT", "MISSING_TENSOR", "BACKBONE_CHANGED" ->
          failure.code() == Status.Code.INVALID_ARGUMENT // then it is a file that this side sent
              ? new InvalidRequestException(failure)
              : new DamagedBackboneException(failure);
      case "NON_FINITE_LOSS" -> new NonFiniteLossException(failure);
      default -> typedByCode(failure);
    };
  }

  private static GraftRpcException typedByCode(Failure failure) {
    return switch (failure.code()) {
      case INVALID_ARGUMENT, OUT_OF_RANGE -> new InvalidRequestException(failure);
      case CANCELLED -> new CallCancelledException(failure);
      case DEADLINE_EXCEEDED -> new DeadlineExceededException(failure);
      case RESOURCE_EXHAUSTED -> new ResourceExhaustedException(failure);
      case UNAVAILABLE -> new WorkerUnavailableException(failure);
      case OK,
          UNKNOWN,
          NOT_FOUND,
          ALREADY_EXISTS,
          PERMISSION_DENIED,
          FAILED_PRECONDITION,
          ABORTED,
          UNIMPLEMENTED,
          INTERNAL,
          DATA_LOSS,
          UNAUTHENTICATED ->
          new GraftRpcException(failure);
    };
  }

  /** Statuses without a reason come from gRPC itself, whose texts are for its developers. */
  private String explained(Status status) {
    String what =
        switch (status.getCode()) {
          case UNAVAILABLE -> "The worker at " + worker + " cannot be reached";
          case DEADLINE_EXCEEDED -> "The call took longer than its deadline";
          case CANCELLED -> "The call was cancelled";
          case UNIMPLEMENTED -> worker + " is not a Graft worker, or cannot do this";
          case RESOURCE_EXHAUSTED ->
              "The worker at "
                  + worker
                  + " has too much to do, or a message is above maxMessageBytes";
          case OK,
              UNKNOWN,
              INVALID_ARGUMENT,
              NOT_FOUND,
              ALREADY_EXISTS,
              PERMISSION_DENIED,
              FAILED_PRECONDITION,
              ABORTED,
              OUT_OF_RANGE,
              INTERNAL,
              DATA_LOSS,
              UNAUTHENTICATED ->
              "The call to the worker at " + worker + " failed with " + status.getCode();
        };
    String cause = status.getCause() == null ? "" : ": " + status.getCause().getMessage();
    return what + ": " + description(status) + cause;
  }

  private static String description(Status status) {
    return status.getDescription() == null ? status.getCode().name() : status.getDescription();
  }
}

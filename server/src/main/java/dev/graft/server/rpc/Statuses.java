package dev.graft.server.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.graft.server.GraftException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;

/** Translates errors to gRPC statuses. */
final class Statuses {
  static final String DOMAIN = "graft.dev";

  /**
   * Longest message in UTF-8. A status travels in headers, of which a client takes 8 KiB, and its
   * message goes three times: percent-encoded as such, with the details, and with the field.
   */
  private static final int MOST_MESSAGE_BYTES = 1024;

  /** Longest variable in UTF-8. */
  private static final int MOST_VARIABLE_BYTES = 256;

  private static final System.Logger LOG = System.getLogger(Statuses.class.getName());

  /** Reasons of errors that always pass: trying again, here or elsewhere, helps. */
  private static final Set<String> PASSING =
      Set.of("WORKER_DRAINING", "TOO_MANY_CALLS", "FEATURE_MEMORY_FULL");

  private Statuses() {}

  /**
   * The status of an error. What is not a {@link GraftException} is logged, and the caller learns
   * no details of it.
   */
  static StatusRuntimeException of(Throwable error) {
    if (error instanceof GraftException known) {
      return of(known);
    }
    if (error instanceof StatusRuntimeException status) {
      return status;
    }
    if (error instanceof CancellationException) {
      return io.grpc.Status.CANCELLED.withDescription(error.getMessage()).asRuntimeException();
    }
    LOG.log(System.Logger.Level.ERROR, "A call failed", error);
    return StatusProto.toStatusRuntimeException(
        status(
                Code.INTERNAL,
                "The worker failed because of a defect of its own; its log has the cause.",
                "INTERNAL",
                Map.of())
            .build());
  }

  private static StatusRuntimeException of(GraftException error) {
    if (error.getCause() != null) {
      LOG.log(System.Logger.Level.INFO, error.getMessage(), error.getCause());
    }
    String message = shortened(error.getMessage(), MOST_MESSAGE_BYTES);
    Status.Builder status =
        status(code(error.category()), message, error.reason(), error.metadata());
    String field = error.metadata().get("field");
    if (field != null) {
      status.addDetails(
          Any.pack(
              BadRequest.newBuilder()
                  .addFieldViolations(
                      BadRequest.FieldViolation.newBuilder()
                          .setField(field)
                          .setDescription(message)
                          .setReason(error.reason()))
                  .build()));
    }
    if (passes(error)) {
      status.addDetails(
          Any.pack(
              RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setSeconds(1)).build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  private static boolean passes(GraftException error) {
    return PASSING.contains(error.reason())
        || !error.metadata().getOrDefault(Calls.OTHER_CALLS, "0").equals("0");
  }

  /** The text, or its beginning: what callers sent may stand in it, and be long. */
  private static String shortened(String text, int mostBytes) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= mostBytes) {
      return text;
    }
    int end = mostBytes;
    while ((bytes[end] & 0xC0) == 0x80) { // not inside a character
      end--;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8) + "…";
  }

  private static Status.Builder status(
      Code code, String message, String reason, Map<String, String> metadata) {
    Map<String, String> variables = new LinkedHashMap<>(metadata);
    variables.replaceAll((key, value) -> shortened(value, MOST_VARIABLE_BYTES));
    return Status.newBuilder()
        .setCode(code.getNumber())
        .setMessage(message)
        .addDetails(
            Any.pack(
                ErrorInfo.newBuilder()
                    .setReason(reason)
                    .setDomain(DOMAIN)
                    .putAllMetadata(variables)
                    .build()));
  }

  private static Code code(GraftException.Category category) {
    return switch (category) {
      case INVALID_ARGUMENT -> Code.INVALID_ARGUMENT;
      case NOT_FOUND -> Code.NOT_FOUND;
      case PERMISSION_DENIED -> Code.PERMISSION_DENIED;
      case FAILED_PRECONDITION -> Code.FAILED_PRECONDITION;
      case RESOURCE_EXHAUSTED -> Code.RESOURCE_EXHAUSTED;
      case ABORTED -> Code.ABORTED;
      case DATA_LOSS -> Code.DATA_LOSS;
      case UNAVAILABLE -> Code.UNAVAILABLE;
      case DEADLINE_EXCEEDED -> Code.DEADLINE_EXCEEDED;
    };
  }
}

package dev.graft.client;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/** Errors as workers send them, and as callers get them. */
public final class Failures {
  private Failures() {}

  public static StatusRuntimeException of(
      Status.Code code, String message, ErrorInfo.Builder info, Message... moreDetails) {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(message)
            .addDetails(Any.pack(info.setDomain("graft.dev").build()))
            .addAllDetails(Stream.of(moreDetails).map(Any::pack).toList())
            .build());
  }

  /** What a caller gets. */
  public static GraftRpcException exception(Status.Code code, String reason, Duration retryDelay) {
    RetryInfo retry =
        RetryInfo.newBuilder()
            .setRetryDelay(
                com.google.protobuf.Duration.newBuilder().setSeconds(retryDelay.toSeconds()))
            .build();
    return new StatusTranslation("worker")
        .translate(
            of(code, "a failure", ErrorInfo.newBuilder().setReason(reason), retry),
            Optional.empty());
  }
}

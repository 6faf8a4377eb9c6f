package dev.graft.client;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.stream.Stream;

/** Errors as workers send them. */
final class Failures {
  private Failures() {}

  static StatusRuntimeException of(
      Status.Code code, String message, ErrorInfo.Builder info, Message... moreDetails) {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(message)
            .addDetails(Any.pack(info.setDomain("graft.dev").build()))
            .addAllDetails(Stream.of(moreDetails).map(Any::pack).toList())
            .build());
  }
}

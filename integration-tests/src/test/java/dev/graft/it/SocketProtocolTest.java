package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.FileChunk;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

class SocketProtocolTest extends ProtocolScenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.overSockets(options);
  }

  /** In process there is no message size, so this is only seen on sockets. */
  @Test
  void aMessageOverTheLimitIsRefused() throws Exception {
    ExtractRequest large =
        ExtractRequest.newBuilder()
            .setProjectorFile(
                FileChunk.newBuilder().setData(ByteString.copyFrom(new byte[(1 << 20) + 1])))
            .build();
    assertThat(extract(spec(), large).outcome().status().getCode())
        .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.CANCELLED);
  }
}

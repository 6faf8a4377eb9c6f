package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.v1.DescribeWorkerResponse;
import java.io.IOException;
import java.net.ServerSocket;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Every scenario over real sockets. */
class NettyTest {
  @Test
  void aWorkerThatIsNotThereIsNamed() throws IOException {
    int unusedPort;
    try (ServerSocket socket = new ServerSocket(0)) {
      unusedPort = socket.getLocalPort();
    }
    try (GraftClient client = GraftClient.connect("localhost:" + unusedPort)) {
      assertThatThrownBy(client::describe)
          .isInstanceOf(WorkerUnavailableException.class)
          .hasMessageContaining("The worker at localhost:" + unusedPort + " cannot be reached")
          .hasMessageContaining("Connection refused");
    }
  }

  @Nested
  class Extract extends ExtractScenarios {
    Extract() {
      super(Transport.NETTY);
    }
  }

  @Nested
  class Train extends TrainScenarios {
    Train() {
      super(Transport.NETTY);
    }
  }

  @Nested
  class Failure extends FailureScenarios {
    Failure() {
      super(Transport.NETTY);
    }

    /** In one process messages are not serialized, and have no size. */
    @Test
    void aMessageAboveTheLimitIsRefused() {
      worker.describe =
          responses -> {
            responses.onNext(
                DescribeWorkerResponse.newBuilder().setVersion("x".repeat(2 << 20)).build());
            responses.onCompleted();
          };
      assertThatThrownBy(client()::describe)
          .isInstanceOf(ResourceExhaustedException.class)
          .hasMessageContaining("maxMessageBytes");
    }
  }
}

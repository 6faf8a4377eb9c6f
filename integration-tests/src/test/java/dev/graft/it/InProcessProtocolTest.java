package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.rpc.WorkerOptions;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import org.junit.jupiter.api.Test;

class InProcessProtocolTest extends ProtocolScenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.inProcess(options);
  }

  /** Over sockets nobody listens any more. */
  @Test
  void aDrainedWorkerIsNotHealthyAndTakesNoCalls() throws Exception {
    try (WorkerUnderTest leaving = start(options())) {
      leaving.drain();
      assertThat(
              HealthGrpc.newBlockingStub(leaving.channel())
                  .check(HealthCheckRequest.getDefaultInstance())
                  .getStatus())
          .isEqualTo(ServingStatus.NOT_SERVING);
      assertRefused(extract(leaving, spec()), Status.Code.UNAVAILABLE, "WORKER_DRAINING");
    }
  }
}

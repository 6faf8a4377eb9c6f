package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a failure says in another process than its own. */
class GraftRpcExceptionTest {
  @Test
  void aFailureCanTravel() throws Exception {
    FieldViolation violation = FieldViolation.newBuilder().setField("spec.features").build();
    StatusRuntimeException thrown =
        Failures.of(
            Status.Code.RESOURCE_EXHAUSTED,
            "too many calls",
            ErrorInfo.newBuilder().setReason("TOO_MANY_CALLS").putMetadata("most", "64"),
            BadRequest.newBuilder().addFieldViolations(violation).build(),
            RetryInfo.newBuilder()
                .setRetryDelay(com.google.protobuf.Duration.newBuilder().setSeconds(3))
                .build());
    GraftRpcException failed =
        new StatusTranslation("worker")
            .translate(
                thrown,
                Optional.of(new TrainEvent.CheckpointSaved(1, ByteString.copyFrom(new byte[9]))));
    assertThat(failed).hasCause(thrown);

    GraftRpcException copy = Serialization.copy(failed);
    assertThat(copy).isInstanceOf(ResourceExhaustedException.class).hasMessage("too many calls");
    assertThat(copy.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(copy.reason()).isEqualTo("TOO_MANY_CALLS");
    assertThat(copy.metadata()).containsEntry("most", "64");
    assertThat(copy.fieldViolations()).containsExactly(violation);
    assertThat(copy.retryDelay()).contains(Duration.ofSeconds(3));
    assertThat(copy.isRetryable()).isTrue();
    assertThat(copy.lastCheckpoint()).isEmpty();
    assertThat(copy).hasNoCause();
    assertThat(copy.getStackTrace()).isEqualTo(failed.getStackTrace());
  }

  @Test
  void aFailureThatTheClientFoundCanTravel() throws Exception {
    GraftRpcException copy =
        Serialization.copy(
            new BrokenContractException(
                Failure.found(Status.Code.DATA_LOSS, "BROKEN_CONTRACT", "no end")));
    assertThat(copy).isInstanceOf(BrokenContractException.class).hasMessage("no end");
    assertThat(copy.retryDelay()).isEmpty();
  }
}

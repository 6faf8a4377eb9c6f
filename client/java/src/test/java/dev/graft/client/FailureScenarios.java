package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.ExtractSpec;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What becomes of a worker's errors, over any transport. */
abstract class FailureScenarios extends Scenarios {
  FailureScenarios(Transport transport) {
    super(transport);
  }

  @Test
  void describeAnswers() {
    worker.describe =
        responses -> {
          responses.onNext(DescribeWorkerResponse.newBuilder().setVersion("0.1.0").build());
          responses.onCompleted();
        };
    assertThat(client().describe().getVersion()).isEqualTo("0.1.0");
  }

  @Test
  void aReasonItsVariablesAndItsFieldsArrive() {
    FieldViolation violation =
        FieldViolation.newBuilder()
            .setField("spec.features.layer")
            .setDescription("from -13 to 12")
            .build();
    InvalidRequestException invalid =
        failedExtract(
            InvalidRequestException.class,
            Status.Code.INVALID_ARGUMENT,
            "LAYER",
            BadRequest.newBuilder().addFieldViolations(violation).build());
    assertThat(invalid).hasMessage("Said by the worker.");
    assertThat(invalid.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(invalid.reason()).isEqualTo("LAYER");
    assertThat(invalid.metadata()).containsExactly(Map.entry("name", "value"));
    assertThat(invalid.fieldViolations()).containsExactly(violation);
    assertThat(invalid.isRetryable()).isFalse();
    assertThat(invalid.lastCheckpoint()).isEmpty();
  }

  @Test
  void retryDelaysArrive() {
    ResourceExhaustedException busy =
        failedExtract(
            ResourceExhaustedException.class,
            Status.Code.RESOURCE_EXHAUSTED,
            "TOO_MANY_CALLS",
            RetryInfo.newBuilder()
                .setRetryDelay(
                    com.google.protobuf.Duration.newBuilder().setSeconds(2).setNanos(500_000_000))
                .build());
    assertThat(busy.retryDelay()).contains(Duration.ofMillis(2500));
    assertThat(busy.isRetryable()).isTrue();
  }

  @Test
  void eachFamilyHasItsClass() {
    failedExtract(BackboneNotFoundException.class, Status.Code.NOT_FOUND, "BACKBONE_NOT_FOUND");
    failedExtract(
        BackboneNotFoundException.class, Status.Code.PERMISSION_DENIED, "OUTSIDE_MODEL_ROOTS");
    failedExtract(
        UnsupportedBackboneException.class,
        Status.Code.FAILED_PRECONDITION,
        "UNSUPPORTED_ARCHITECTURE");
    failedExtract(
        UnsupportedBackboneException.class, Status.Code.FAILED_PRECONDITION, "UNSUPPORTED_FORMAT");
    failedExtract(
        DamagedBackboneException.class, Status.Code.FAILED_PRECONDITION, "CORRUPT_CHECKPOINT");
    failedExtract(
        InvalidRequestException.class, Status.Code.INVALID_ARGUMENT, "CORRUPT_CHECKPOINT");
    failedExtract(CallCancelledException.class, Status.Code.CANCELLED, "");
    WorkerUnavailableException draining =
        failedExtract(WorkerUnavailableException.class, Status.Code.UNAVAILABLE, "WORKER_DRAINING");
    assertThat(draining.isRetryable()).isTrue();
    GraftRpcException defect = failedExtract(GraftRpcException.class, Status.Code.INTERNAL, "");
    assertThat(defect.getClass()).isEqualTo(GraftRpcException.class);
    assertThat(defect).hasMessageContaining("failed with INTERNAL: Said by the worker.");
  }

  @Test
  void unreadableDetailsLeaveTheStatus() {
    worker.describe =
        responses -> {
          Metadata trailers = new Metadata();
          trailers.put(
              Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
              new byte[] {(byte) 0xff, 1, 2});
          responses.onError(Status.NOT_FOUND.withDescription("Nothing.").asException(trailers));
        };
    GraftRpcException failed =
        catchThrowableOfType(GraftRpcException.class, () -> client().describe());
    assertThat(failed.code()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(failed).hasMessageContaining("Nothing.");
  }

  @Test
  void whatTheWorkerCannotDoIsSaid() {
    worker.describe = responses -> responses.onError(Status.UNIMPLEMENTED.asException());
    GraftRpcException failed =
        catchThrowableOfType(GraftRpcException.class, () -> client().describe());
    assertThat(failed).hasMessageContaining("is not a Graft worker, or cannot do this");
  }

  private <X extends GraftRpcException> X failedExtract(
      Class<X> type, Status.Code code, String reason, Message... details) {
    worker.extract =
        responses ->
            request -> {
              if (request.hasSpec()) {
                responses.onError(
                    Failures.of(
                        code,
                        "Said by the worker.",
                        ErrorInfo.newBuilder().setReason(reason).putMetadata("name", "value"),
                        details));
              }
            };
    ExtractJob job = ExtractJob.of(ExtractSpec.getDefaultInstance());
    try (ExtractCall results = client().extract(job, List.of(Items.text(0, "text")))) {
      X thrown = catchThrowableOfType(type, results::hasNext);
      assertThat(thrown).as("%s %s", code, reason).isNotNull();
      return thrown;
    }
  }
}

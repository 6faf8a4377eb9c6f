package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.graft.client.GraftClient;
import dev.graft.client.GraftRpcException;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.Kernel;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Objective;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Workers that are processes, and what is left when they end. */
class ServeProcessTest {
  /** Its checkpoints are 5 MB: more than fits into a connection's buffers. */
  private static final TrainJob JOB =
      TrainJob.of(
          TrainSpec.newBuilder()
              .setFeatures(TinyModel.features())
              .setProjector(
                  Projector.newBuilder()
                      .setKind(ProjectorKind.PROJECTOR_KIND_MLP)
                      .addHiddenSizes(8192)
                      .setDropout(0.1f))
              .setObjective(
                  Objective.newBuilder()
                      .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(3)))
              .setArguments(
                  TrainingArguments.newBuilder()
                      .setMaxSteps(600)
                      .setLoggingSteps(1)
                      .setSaveSteps(150))
              .build(),
          TinyModel.labelled(40, 1));

  private static WorkerUnderTest elsewhere;
  private static GraftClient elsewhereClient;
  private static ByteString expected;

  @BeforeAll
  static void trainWithoutInterruption() {
    elsewhere =
        WorkerUnderTest.inProcess(
            new WorkerOptions()
                .modelRoots(List.of(TinyModel.ROOT))
                .lanes(2)
                .kernel(Optional.of(Kernel.MKL))); // that of worker processes
    elsewhereClient = elsewhere.client();
    expected = elsewhereClient.trainAsync(JOB).join().projectorFile();
  }

  @AfterAll
  static void stop() {
    elsewhereClient.close();
    elsewhere.close();
  }

  @Test
  void aServingProcessIsHealthyAndTellsAboutItself() throws Exception {
    try (WorkerProcess process = WorkerProcess.serve(TinyModel.ROOT);
        GraftClient client = process.client()) {
      assertThat(
              HealthGrpc.newBlockingStub(process.channel())
                  .check(HealthCheckRequest.getDefaultInstance())
                  .getStatus())
          .isEqualTo(ServingStatus.SERVING);
      assertThat(services(process))
          .contains(
              "graft.v1.ExtractService",
              "graft.v1.TrainService",
              "graft.v1.QuantizeService",
              "graft.v1.WorkerService",
              "grpc.health.v1.Health",
              "grpc.reflection.v1.ServerReflection");
      DescribeWorkerResponse description = client.describe();
      assertThat(description.getDraining()).isFalse();
      assertThat(description.getModelRootsList())
          .containsExactly(TinyModel.ROOT.toRealPath().toString());
      assertThat(description.getDevice().getLanes()).isEqualTo(1);
    }
  }

  @Test
  void anIdleProcessEndsWhenItIsToldTo() throws Exception {
    try (WorkerProcess process = WorkerProcess.serve(TinyModel.ROOT)) {
      process.terminate();
      assertThat(process.exitCode()).isZero();
    }
  }

  @Test
  void aProcessThatIsToldToStopHandsItsTrainingsOver() throws Exception {
    GraftRpcException drained;
    try (WorkerProcess process = WorkerProcess.serve(TinyModel.ROOT, "--drain-grace", "0");
        GraftClient client = process.client()) {
      TrainingCall call = client.train(JOB);
      readTo(call, TrainEvent.Log.class);
      process.terminate();
      drained = failure(call);
      assertThat(process.exitCode()).isZero();
    }
    assertThat(drained.reason()).isEqualTo("WORKER_DRAINING");
    assertThat(drained.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(drained.isRetryable()).isTrue();
    assertResumes(drained);
  }

  @Test
  void aProcessThatIsKilledLeavesTheLastCheckpoint() throws Exception {
    GraftRpcException lost;
    try (WorkerProcess process = WorkerProcess.serve(TinyModel.ROOT);
        GraftClient client = process.client()) {
      TrainingCall call = client.train(JOB);
      readTo(call, TrainEvent.CheckpointSaved.class);
      process.kill();
      lost = failure(call);
    }
    assertThat(lost.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(lost.isRetryable()).isTrue();
    assertResumes(lost);
  }

  private static void assertResumes(GraftRpcException interrupted) {
    ByteString checkpoint = interrupted.lastCheckpoint().orElseThrow().file();
    assertThat(checkpoint.size()).isGreaterThan(4 << 20);
    assertThat(elsewhereClient.trainAsync(JOB.withCheckpoint(checkpoint)).join().projectorFile())
        .isEqualTo(expected);
  }

  private static void readTo(TrainingCall call, Class<? extends TrainEvent> type) {
    TrainEvent event = call.next();
    while (!type.isInstance(event)) {
      event = call.next();
    }
  }

  private static GraftRpcException failure(TrainingCall call) {
    GraftRpcException failure =
        catchThrowableOfType(GraftRpcException.class, () -> call.forEachRemaining(event -> {}));
    assertThat(failure).isNotNull();
    return failure;
  }

  private static List<String> services(WorkerProcess process) throws InterruptedException {
    RawCall<ServerReflectionRequest, ServerReflectionResponse> call =
        RawCall.open(process.channel(), ServerReflectionGrpc.getServerReflectionInfoMethod());
    call.send(ServerReflectionRequest.newBuilder().setListServices("*").build());
    ServerReflectionResponse response = call.next();
    call.halfClose();
    return response.getListServicesResponse().getServiceList().stream()
        .map(ServiceResponse::getName)
        .toList();
  }
}

package dev.graft.server.rpc;

import dev.graft.server.Version;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.backbones.Backbones;
import dev.graft.server.jobs.LoadedBackbone;
import dev.graft.server.jobs.QuantizationScheme;
import dev.graft.server.jobs.WorkerResources;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernels;
import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Device;
import dev.graft.v1.Limits;
import dev.graft.v1.MeasuredKernel;
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** {@code graft.v1.WorkerService}. */
final class WorkerEndpoint extends WorkerServiceGrpc.WorkerServiceImplBase {
  private final WorkerResources worker;
  private final WorkerLimits limits;
  private final Calls calls;
  private final List<Path> modelRoots;
  private final List<Path> writableRoots;

  WorkerEndpoint(
      WorkerResources worker,
      WorkerLimits limits,
      Calls calls,
      List<Path> modelRoots,
      List<Path> writableRoots) {
    this.writableRoots = writableRoots;
    this.worker = worker;
    this.limits = limits;
    this.calls = calls;
    this.modelRoots = modelRoots;
  }

  @Override
  public void describeWorker(
      DescribeWorkerRequest request, StreamObserver<DescribeWorkerResponse> responses) {
    DescribeWorkerResponse.Builder description =
        DescribeWorkerResponse.newBuilder()
            .setVersion(Version.CURRENT)
            .setDevice(
                Device.newBuilder()
                    .setName(worker.device().name())
                    .setTotalMemoryBytes(worker.device().totalMemoryBytes())
                    .setFreeMemoryBytes(worker.device().freeMemoryBytes())
                    .setLanes(worker.lanes().count()))
            .setLimits(
                Limits.newBuilder()
                    .setMaxMessageBytes(limits.maxMessageBytes())
                    .setTokensPerBatch(worker.tokensPerBatch())
                    .setMaxConcurrentCalls(limits.maxConcurrentCalls())
                    .setMaxTrainFeatureBytes(worker.featureMemory().maxBytes())
                    .setMaxFileBytes(limits.maxFileBytes()))
            .addAllSupportedArchitectures(Backbones.supported())
            .setDraining(calls.isDraining())
            .setActiveCalls(calls.size());
    worker.backbones().loaded().forEach(loaded -> description.addLoadedBackbones(describe(loaded)));
    modelRoots.forEach(root -> description.addModelRoots(root.toString()));
    writableRoots.forEach(root -> description.addWritableRoots(root.toString()));
    for (QuantizationScheme scheme : QuantizationScheme.values()) {
      description.addSupportedSchemes(QuantizeMessages.scheme(scheme));
    }
    describeKernels(description);
    responses.onNext(description.build());
    responses.onCompleted();
  }

  private void describeKernels(DescribeWorkerResponse.Builder description) {
    for (ComputeDtype dtype : worker.computeDtypes()) {
      description.addComputeDtypes(FeatureMessages.computeDtype(dtype));
    }
    for (Kernels.Measured measured : worker.kernels().measured()) {
      description.addMeasuredKernels(
          MeasuredKernel.newBuilder()
              .setComputeDtype(FeatureMessages.computeDtype(measured.dtype()))
              .setKernel(measured.kernel().name().toLowerCase(Locale.ROOT))
              .setGflops(measured.gflops())
              .setChosen(worker.kernels().kernel(measured.dtype()) == measured.kernel()));
    }
  }

  private static dev.graft.v1.LoadedBackbone.Builder describe(LoadedBackbone loaded) {
    BackboneInfo info = loaded.backbone().info();
    return dev.graft.v1.LoadedBackbone.newBuilder()
        .setPath(loaded.directory().toString())
        .setModelType(info.modelType())
        .setDigest(info.digest())
        .setParameters(info.parameters())
        .setBytes(info.bytes())
        .setHiddenSize(info.hiddenSize())
        .setBlocks(info.blocks())
        .setMaxTokens(info.maxTokens());
  }
}

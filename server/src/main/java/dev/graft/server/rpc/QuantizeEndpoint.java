package dev.graft.server.rpc;

import dev.graft.server.checkpoints.WritableRoots;
import dev.graft.server.jobs.BackbonePlaces;
import dev.graft.server.jobs.QuantizeJob;
import dev.graft.server.jobs.WorkerResources;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.QuantizeResponse;
import dev.graft.v1.QuantizeServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** {@code graft.v1.QuantizeService}. */
final class QuantizeEndpoint extends QuantizeServiceGrpc.QuantizeServiceImplBase {
  private final WorkerResources worker;
  private final WorkerLimits limits;
  private final Calls calls;
  private final BackbonePlaces sources;
  private final WritableRoots destinations;

  QuantizeEndpoint(
      WorkerResources worker,
      WorkerLimits limits,
      Calls calls,
      BackbonePlaces sources,
      WritableRoots destinations) {
    this.worker = worker;
    this.limits = limits;
    this.calls = calls;
    this.sources = sources;
    this.destinations = destinations;
  }

  @Override
  public void quantize(QuantizeRequest request, StreamObserver<QuantizeResponse> responses) {
    QuantizeJob job =
        new QuantizeJob(
            worker.device(), worker.lanes(), sources, destinations, limits.chunkBytes());
    new QuantizeCall(job, calls, (ServerCallStreamObserver<QuantizeResponse>) responses)
        .start(request);
  }
}

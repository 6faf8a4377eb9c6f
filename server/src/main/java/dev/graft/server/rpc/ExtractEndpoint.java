package dev.graft.server.rpc;

import dev.graft.server.jobs.WorkerResources;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** {@code graft.v1.ExtractService}. */
final class ExtractEndpoint extends ExtractServiceGrpc.ExtractServiceImplBase {
  private final WorkerResources worker;
  private final WorkerLimits limits;
  private final Calls calls;

  ExtractEndpoint(WorkerResources worker, WorkerLimits limits, Calls calls) {
    this.worker = worker;
    this.limits = limits;
    this.calls = calls;
  }

  @Override
  public StreamObserver<ExtractRequest> extract(StreamObserver<ExtractResponse> responses) {
    ExtractCall call =
        new ExtractCall(
            worker, limits, calls, (ServerCallStreamObserver<ExtractResponse>) responses);
    call.enter();
    return call;
  }
}

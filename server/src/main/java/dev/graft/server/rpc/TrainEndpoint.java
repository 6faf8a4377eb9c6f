package dev.graft.server.rpc;

import dev.graft.server.jobs.WorkerResources;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** {@code graft.v1.TrainService}. */
final class TrainEndpoint extends TrainServiceGrpc.TrainServiceImplBase {
  private final WorkerResources worker;
  private final WorkerLimits limits;
  private final Calls calls;

  TrainEndpoint(WorkerResources worker, WorkerLimits limits, Calls calls) {
    this.worker = worker;
    this.limits = limits;
    this.calls = calls;
  }

  @Override
  public StreamObserver<TrainRequest> train(StreamObserver<TrainResponse> responses) {
    TrainCall call =
        new TrainCall(worker, limits, calls, (ServerCallStreamObserver<TrainResponse>) responses);
    call.enter();
    return call;
  }
}

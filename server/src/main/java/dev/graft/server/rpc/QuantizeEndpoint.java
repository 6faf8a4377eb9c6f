package dev.graft.server.rpc;

import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.QuantizeResponse;
import dev.graft.v1.QuantizeServiceGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/** {@code graft.v1.QuantizeService}: this version of the worker writes no quantized backbones. */
final class QuantizeEndpoint extends QuantizeServiceGrpc.QuantizeServiceImplBase {
  @Override
  public void quantize(QuantizeRequest request, StreamObserver<QuantizeResponse> responses) {
    responses.onError(
        Status.UNIMPLEMENTED
            .withDescription(
                "This version of the worker cannot quantize; DescribeWorker lists the schemes that it can load.")
            .asRuntimeException());
  }
}

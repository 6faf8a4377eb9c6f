package dev.graft.client;

import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainServiceGrpc;
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.BindableService;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** A worker whose every call is scripted by the test. */
final class FakeWorker {
  /** Plays the worker's side of one call. */
  interface Script<Q, R> {
    /** Called when the call opens; what it returns hears the client's messages. */
    Consumer<Q> play(ServerCallStreamObserver<R> responses);
  }

  /** Counted down when a call has arrived. */
  final CountDownLatch opened = new CountDownLatch(1);

  /** Counted down when a client's cancellation has arrived. */
  final CountDownLatch cancelled = new CountDownLatch(1);

  /** Counted down when a client has half-closed. */
  final CountDownLatch halfClosed = new CountDownLatch(1);

  volatile Script<ExtractRequest, ExtractResponse> extract;
  volatile Script<TrainRequest, TrainResponse> train;
  volatile Consumer<StreamObserver<DescribeWorkerResponse>> describe;

  /** Run when the client half-closes. */
  volatile Runnable afterLastRequest = () -> {};

  List<BindableService> services() {
    return List.of(
        new ExtractServiceGrpc.ExtractServiceImplBase() {
          @Override
          public StreamObserver<ExtractRequest> extract(StreamObserver<ExtractResponse> responses) {
            return open(extract, responses);
          }
        },
        new TrainServiceGrpc.TrainServiceImplBase() {
          @Override
          public StreamObserver<TrainRequest> train(StreamObserver<TrainResponse> responses) {
            return open(train, responses);
          }
        },
        new WorkerServiceGrpc.WorkerServiceImplBase() {
          @Override
          public void describeWorker(
              DescribeWorkerRequest request, StreamObserver<DescribeWorkerResponse> responses) {
            describe.accept(responses);
          }
        });
  }

  private <Q, R> StreamObserver<Q> open(Script<Q, R> script, StreamObserver<R> responses) {
    ServerCallStreamObserver<R> call = (ServerCallStreamObserver<R>) responses;
    call.setOnCancelHandler(cancelled::countDown);
    Consumer<Q> requests = script.play(call);
    opened.countDown();
    return new StreamObserver<>() {
      @Override
      public void onNext(Q request) {
        requests.accept(request);
      }

      @Override
      public void onError(Throwable thrown) {} // the cancel handler tells

      @Override
      public void onCompleted() {
        afterLastRequest.run();
        halfClosed.countDown();
      }
    };
  }
}

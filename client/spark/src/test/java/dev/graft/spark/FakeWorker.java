package dev.graft.spark;

import com.google.protobuf.ByteString;
import dev.graft.client.Tensors;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Device;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FileChunk;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Limits;
import dev.graft.v1.ResultBatch;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainServiceGrpc;
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiConsumer;

/**
 * A worker on a real socket. As with a real one, a feature depends on the items of its call, also
 * on those beside it.
 */
final class FakeWorker implements AutoCloseable {
  /** What comes of every training. */
  static final ByteString PROJECTOR = ByteString.copyFromUtf8("projector");

  private static final String PROJECTOR_SHA256 =
      "0f12166cd5d87ffdea9fac1f51ec96cb283f95e1e6b6dc35e14e15f2bad2ff69";

  /** What it does with the items of a call, once they are all there. */
  volatile BiConsumer<List<Item>, StreamObserver<ExtractResponse>> answer = FakeWorker::features;

  /** What it does with the requests of a training, once the data has ended. */
  volatile BiConsumer<List<TrainRequest>, StreamObserver<TrainResponse>> train =
      (requests, responses) -> trained(responses);

  final Queue<ExtractSpec> specs = new ConcurrentLinkedQueue<>();
  final Queue<ByteString> projectorFiles = new ConcurrentLinkedQueue<>();
  final Queue<List<TrainRequest>> trainings = new ConcurrentLinkedQueue<>();
  private final Server server;
  private final int port;

  FakeWorker() {
    this(InsecureServerCredentials.create());
  }

  FakeWorker(ServerCredentials credentials) {
    try {
      server =
          Grpc.newServerBuilderForPort(0, credentials)
              .addService(new HealthStatusManager().getHealthService())
              .addService(new Describing())
              .addService(new Extracting())
              .addService(new Training())
              .build()
              .start();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    port = server.getPort();
  }

  String name() {
    return "127.0.0.1:" + port;
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  /** Answers each text with its length, its number, and how many items came before it. */
  static void features(List<Item> items, StreamObserver<ExtractResponse> responses) {
    ResultBatch.Builder batch = ResultBatch.newBuilder();
    for (Item item : items) {
      batch.addResults(
          ItemResult.newBuilder()
              .setNumber(item.getNumber())
              .setFeatures(
                  Tensors.fromFloats(
                      new float[] {
                        item.getContent().getText().length(),
                        item.getNumber(),
                        batch.getResultsCount()
                      },
                      3)));
    }
    answer(batch, responses);
  }

  /**
   * Answers each feature with the probabilities of two classes: its first value is the second's.
   */
  static void probabilities(List<Item> items, StreamObserver<ExtractResponse> responses) {
    ResultBatch.Builder batch = ResultBatch.newBuilder();
    for (Item item : items) {
      float second = Tensors.toFloats(item.getContent().getFeatures())[0];
      batch.addResults(
          ItemResult.newBuilder()
              .setNumber(item.getNumber())
              .setProbabilities(Tensors.fromFloats(new float[] {1 - second, second}, 2)));
    }
    answer(batch, responses);
  }

  /** The end of a training. */
  static void trained(StreamObserver<TrainResponse> responses) {
    responses.onNext(TrainResponse.newBuilder().setReady(TrainReady.getDefaultInstance()).build());
    responses.onNext(
        TrainResponse.newBuilder()
            .setProjectorFile(
                FileChunk.newBuilder().setTotalBytes(PROJECTOR.size()).setData(PROJECTOR))
            .build());
    responses.onNext(
        TrainResponse.newBuilder()
            .setResult(TrainResult.newBuilder().setProjectorSha256(PROJECTOR_SHA256))
            .build());
    responses.onCompleted();
  }

  static void answer(ResultBatch.Builder batch, StreamObserver<ExtractResponse> responses) {
    responses.onNext(
        ExtractResponse.newBuilder()
            .setReady(ExtractReady.newBuilder().setFeatureSize(3).setBackboneDigest("backbone"))
            .build());
    responses.onNext(ExtractResponse.newBuilder().setResults(batch).build());
    responses.onCompleted();
  }

  private static final class Describing extends WorkerServiceGrpc.WorkerServiceImplBase {
    @Override
    public void describeWorker(
        DescribeWorkerRequest request, StreamObserver<DescribeWorkerResponse> responses) {
      responses.onNext(
          DescribeWorkerResponse.newBuilder()
              .setVersion("1")
              .setDevice(Device.newBuilder().setName("cpu").setLanes(1))
              .setLimits(Limits.newBuilder().setMaxMessageBytes(1 << 20).setTokensPerBatch(512))
              .addComputeDtypes(ComputeDtype.COMPUTE_DTYPE_FP32)
              .addComputeDtypes(ComputeDtype.COMPUTE_DTYPE_INT8_DYNAMIC)
              .build());
      responses.onCompleted();
    }
  }

  private final class Extracting extends ExtractServiceGrpc.ExtractServiceImplBase {
    @Override
    public StreamObserver<ExtractRequest> extract(StreamObserver<ExtractResponse> responses) {
      List<Item> items = new ArrayList<>();
      return new StreamObserver<>() {
        @Override
        public void onNext(ExtractRequest request) {
          if (request.hasSpec()) {
            specs.add(request.getSpec());
          }
          if (request.hasProjectorFile()) {
            projectorFiles.add(request.getProjectorFile().getData());
          }
          items.addAll(request.getItems().getItemsList());
        }

        @Override
        public void onError(Throwable thrown) {} // the client is gone

        @Override
        public void onCompleted() {
          answer.accept(items, responses);
        }
      };
    }
  }

  private final class Training extends TrainServiceGrpc.TrainServiceImplBase {
    @Override
    public StreamObserver<TrainRequest> train(StreamObserver<TrainResponse> responses) {
      List<TrainRequest> requests = new ArrayList<>();
      return new StreamObserver<>() {
        @Override
        public void onNext(TrainRequest request) {
          requests.add(request);
          if (request.hasEndOfData()) {
            trainings.add(requests);
            train.accept(requests, responses);
          }
        }

        @Override
        public void onError(Throwable thrown) {} // the client is gone

        @Override
        public void onCompleted() {}
      };
    }
  }
}

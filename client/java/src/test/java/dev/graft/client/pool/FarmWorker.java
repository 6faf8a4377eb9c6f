package dev.graft.client.pool;

import com.google.protobuf.ByteString;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DataType;
import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Device;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Limits;
import dev.graft.v1.ResultBatch;
import dev.graft.v1.Tensor;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainRequest;
import dev.graft.v1.TrainResponse;
import dev.graft.v1.TrainServiceGrpc;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;

/**
 * A worker of a farm on a real socket. As with a real one, the bytes of a feature depend on the
 * items of its call: also on those beside it.
 */
final class FarmWorker implements AutoCloseable {
  /** What it does with the items of a call, once they are all there. */
  volatile BiConsumer<List<Item>, StreamObserver<ExtractResponse>> answer = FarmWorker::results;

  /** What it does with the requests of a training, once the data has ended. */
  volatile BiConsumer<List<TrainRequest>, StreamObserver<TrainResponse>> train =
      (requests, responses) -> {};

  /** What it says to the spec of a training on a backbone, which only checks it. */
  volatile BiConsumer<TrainSpec, StreamObserver<TrainResponse>> check =
      (spec, responses) ->
          responses.onNext(
              TrainResponse.newBuilder().setReady(TrainReady.newBuilder().setSpec(spec)).build());

  final AtomicInteger calls = new AtomicInteger();
  private final HealthStatusManager health = new HealthStatusManager();
  private final DescribeWorkerResponse description;
  private final Server server;
  private final int boundPort;

  private FarmWorker(DescribeWorkerResponse description, int port) {
    this.description = description;
    server = serverAt(port);
    boundPort = server.getPort();
    serve(true);
  }

  /** A port that a worker had may be taken for a moment still: its socket closes after its end. */
  private Server serverAt(int port) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (true) {
      try {
        return NettyServerBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            .addService(health.getHealthService())
            .addService(new Describing())
            .addService(new Extracting())
            .addService(new Training())
            .build()
            .start();
      } catch (IOException failed) {
        if (port == 0 || System.nanoTime() > deadline) {
          throw new UncheckedIOException(failed);
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      }
    }
  }

  static FarmWorker start() {
    return at(0);
  }

  static FarmWorker at(int port) {
    return new FarmWorker(ordinary().build(), port);
  }

  static FarmWorker describedAs(DescribeWorkerResponse.Builder description) {
    return new FarmWorker(description.build(), 0);
  }

  /** What a worker says of itself if nothing else is asked for. */
  static DescribeWorkerResponse.Builder ordinary() {
    return DescribeWorkerResponse.newBuilder()
        .setVersion("1")
        .setDevice(Device.newBuilder().setName("cpu").setLanes(1))
        .setLimits(Limits.newBuilder().setMaxMessageBytes(1 << 20).setTokensPerBatch(512))
        .addComputeDtypes(ComputeDtype.COMPUTE_DTYPE_FP32);
  }

  int port() {
    return boundPort;
  }

  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port());
  }

  String name() {
    return "127.0.0.1:" + port();
  }

  void serve(boolean serving) {
    health.setStatus(
        HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
        serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  }

  @Override
  public void close() {
    kill();
  }

  /** Ends at once, as a killed process does. */
  void kill() {
    server.shutdownNow();
  }

  /** Answers every item. */
  static void results(List<Item> items, StreamObserver<ExtractResponse> responses) {
    responses.onNext(ready("backbone"));
    responses.onNext(ExtractResponse.newBuilder().setResults(batch(items)).build());
    responses.onCompleted();
  }

  static ExtractResponse ready(String digest) {
    return ExtractResponse.newBuilder()
        .setReady(ExtractReady.newBuilder().setFeatureSize(1).setBackboneDigest(digest))
        .build();
  }

  static ResultBatch batch(List<Item> items) {
    ResultBatch.Builder batch = ResultBatch.newBuilder();
    for (int i = items.size() - 1; i >= 0; i--) {
      int digest = Objects.hash(items, items.get(i), i);
      batch.addResults(
          ItemResult.newBuilder()
              .setNumber(items.get(i).getNumber())
              .setTokens(3)
              .setFeatures(
                  Tensor.newBuilder()
                      .setDataType(DataType.DATA_TYPE_F32)
                      .addShape(1)
                      .setData(ByteString.copyFrom(ByteBuffer.allocate(4).putInt(digest).flip()))));
    }
    return batch.build();
  }

  private final class Describing extends WorkerServiceGrpc.WorkerServiceImplBase {
    @Override
    public void describeWorker(
        DescribeWorkerRequest request, StreamObserver<DescribeWorkerResponse> responses) {
      responses.onNext(description);
      responses.onCompleted();
    }
  }

  private final class Extracting extends ExtractServiceGrpc.ExtractServiceImplBase {
    @Override
    public StreamObserver<ExtractRequest> extract(StreamObserver<ExtractResponse> responses) {
      calls.incrementAndGet();
      List<Item> items = new ArrayList<>();
      return new StreamObserver<>() {
        @Override
        public void onNext(ExtractRequest request) {
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
          TrainSpec spec = requests.get(0).getSpec();
          if (spec.getFeatures().hasBackbone()) {
            if (request.hasSpec()) {
              check.accept(spec, responses);
            }
          } else if (request.hasEndOfData()) {
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

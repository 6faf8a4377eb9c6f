package dev.graft.it;

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
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A worker without a model: its device takes a fixed time for each token, one call after the other,
 * and then the features are made up. With it a farm's client can be seen alone.
 */
final class SimulatedWorker {
  private static final int MAX_MESSAGE_BYTES = 1 << 20;
  private static final int ITEMS_PER_MESSAGE = 128;

  private static final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor();

  private final long nanosPerToken;
  private final int featureSize;
  private long deviceFree = System.nanoTime(); // guarded by this

  private SimulatedWorker(long nanosPerToken, int featureSize) {
    this.nanosPerToken = nanosPerToken;
    this.featureSize = featureSize;
  }

  /**
   * Serves until it is killed.
   *
   * @param arguments device time of a token in nanoseconds, values of a feature, and how many
   *     workers this process is: all have one port, each at an {@link #address} of its own
   */
  public static void main(String[] arguments) throws Exception {
    long nanosPerToken = Long.parseLong(arguments[0]);
    int featureSize = Integer.parseInt(arguments[1]);
    int count = Integer.parseInt(arguments[2]);
    Server first = new SimulatedWorker(nanosPerToken, featureSize).serve(address(0), 0);
    for (int i = 1; i < count; i++) {
      new SimulatedWorker(nanosPerToken, featureSize).serve(address(i), first.getPort());
    }
    System.out.println("listening on %s:%d".formatted(address(0), first.getPort()));
    first.awaitTermination(); // gRPC's threads alone keep no process alive
  }

  /** Where the worker of a number is, on this machine. */
  static String address(int number) {
    return "127.0.%d.%d".formatted(number / 250, 1 + number % 250);
  }

  private Server serve(String host, int port) throws IOException {
    HealthStatusManager health = new HealthStatusManager();
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.SERVING);
    return NettyServerBuilder.forAddress(new InetSocketAddress(host, port))
        .addService(health.getHealthService())
        .addService(new Describing())
        .addService(new Extracting())
        .permitKeepAliveTime(10, TimeUnit.SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .build()
        .start();
  }

  /** What it answers for an item: the feature's first value is the item's number. */
  static ByteString feature(long number, int featureSize) {
    ByteBuffer values = ByteBuffer.allocate(4 * featureSize);
    values.putInt(0, (int) number);
    return ByteString.copyFrom(values);
  }

  /** Takes the device for that long, after those who came before; when it is done. */
  private synchronized long takeDevice(long tokens) {
    deviceFree = Math.max(deviceFree, System.nanoTime()) + tokens * nanosPerToken;
    return deviceFree;
  }

  private static final class Describing extends WorkerServiceGrpc.WorkerServiceImplBase {
    @Override
    public void describeWorker(
        DescribeWorkerRequest request, StreamObserver<DescribeWorkerResponse> responses) {
      responses.onNext(
          DescribeWorkerResponse.newBuilder()
              .setVersion("simulated")
              .setDevice(Device.newBuilder().setName("simulated").setLanes(1))
              .setLimits(
                  Limits.newBuilder()
                      .setMaxMessageBytes(MAX_MESSAGE_BYTES)
                      .setTokensPerBatch(16_384))
              .addComputeDtypes(ComputeDtype.COMPUTE_DTYPE_FP32)
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
            responses.onNext(
                ExtractResponse.newBuilder()
                    .setReady(ExtractReady.newBuilder().setFeatureSize(featureSize))
                    .build());
          }
          items.addAll(request.getItems().getItemsList());
        }

        @Override
        public void onError(Throwable thrown) {} // the client is gone

        @Override
        public void onCompleted() {
          compute(items, responses);
        }
      };
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a call that its client cancelled fails there
  private void compute(List<Item> items, StreamObserver<ExtractResponse> responses) {
    long tokens = items.stream().mapToLong(SimulatedWorker::tokens).sum();
    clock.schedule(
        () -> answer(items, responses),
        takeDevice(tokens) - System.nanoTime(),
        TimeUnit.NANOSECONDS);
  }

  private static long tokens(Item item) {
    return item.getContent().getTokenIds().getIdsCount();
  }

  private void answer(List<Item> items, StreamObserver<ExtractResponse> responses) {
    for (int first = 0; first < items.size(); first += ITEMS_PER_MESSAGE) {
      ResultBatch.Builder batch = ResultBatch.newBuilder();
      for (Item item : items.subList(first, Math.min(items.size(), first + ITEMS_PER_MESSAGE))) {
        batch.addResults(
            ItemResult.newBuilder()
                .setNumber(item.getNumber())
                .setTokens((int) tokens(item))
                .setFeatures(
                    Tensor.newBuilder()
                        .setDataType(DataType.DATA_TYPE_F32)
                        .addShape(featureSize)
                        .setData(feature(item.getNumber(), featureSize))));
      }
      responses.onNext(ExtractResponse.newBuilder().setResults(batch).build());
    }
    responses.onCompleted();
  }
}

package dev.graft.server.rpc;

import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.checkpoints.WritableRoots;
import dev.graft.server.extraction.FeatureCache;
import dev.graft.server.extraction.Pooler;
import dev.graft.server.hub.Hub;
import dev.graft.server.jobs.BackbonePlaces;
import dev.graft.server.jobs.BackboneStore;
import dev.graft.server.jobs.WorkerResources;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.training.FeatureMemory;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A worker's services with all that they need, on no transport yet. */
public final class WorkerServices implements AutoCloseable {
  private static final int CPU_TOKENS_PER_BATCH = 512;

  /**
   * Device memory that a token of a batch takes at most in a large model, as a first estimate; less
   * is found by halving.
   */
  private static final long GPU_BYTES_PER_TOKEN = 512 * 1024;

  /** How long trainings may take for their last checkpoint. */
  private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final WorkerOptions options;
  private final WorkerResources worker;
  private final WorkerLimits limits;
  private final Calls calls;
  private final Alarms.OnThread alarms = new Alarms.OnThread();
  private final HealthStatusManager health = new HealthStatusManager();
  private final BackbonePlaces places;
  private final WritableRoots writableRoots;

  /** Starts the device and measures it. */
  public WorkerServices(WorkerOptions options) {
    this.options = options;
    this.places = places(options);
    this.writableRoots = WritableRoots.of(options.writableRoots());
    TorchDevice device = TorchDevice.parse(options.device());
    Kernels measured = Kernels.measure(device);
    Kernels kernels = options.kernel().map(kernel -> restricted(measured, kernel)).orElse(measured);
    options.computeDtype().ifPresent(dtype -> requireMeasured(measured, dtype));
    this.limits =
        new WorkerLimits(
            options.maxMessageBytes(), options.maxConcurrentCalls(), options.maxFileBytes());
    this.calls = new Calls(options.maxConcurrentCalls(), alarms, options.specTimeout());
    this.worker =
        new WorkerResources(
            device,
            kernels,
            options.computeDtype().orElseGet(kernels::fastest),
            Lanes.start(lanes(device)),
            new BackboneStore(places, device, kernels, weightsMemory(device)),
            new Pooler(device),
            cache(),
            tokensPerBatch(device),
            new FeatureMemory(options.maxTrainFeatureBytes()));
  }

  private static BackbonePlaces places(WorkerOptions options) {
    Optional<Hub> hub = options.hub().map(Hub::new);
    List<Path> roots = new ArrayList<>(options.modelRoots());
    hub.ifPresent(known -> roots.add(known.cache()));
    return new BackbonePlaces(ModelRoots.of(roots), hub);
  }

  private static Kernels restricted(Kernels measured, Kernel kernel) {
    if (measured.measured().stream().noneMatch(candidate -> candidate.kernel() == kernel)) {
      throw WorkerOptions.invalid(
          "kernel",
          "is "
              + kernel
              + ", which this device has for no type; it has "
              + measured.measured().stream().map(Kernels.Measured::kernel).distinct().toList());
    }
    return measured.restrictedTo(kernel);
  }

  private static void requireMeasured(Kernels measured, ComputeDtype dtype) {
    List<ComputeDtype> available =
        measured.measured().stream().map(Kernels.Measured::dtype).distinct().toList();
    if (!available.contains(dtype)) {
      throw WorkerOptions.invalid(
          "compute_dtype",
          "is " + dtype + ", which this device cannot compute; it can " + available);
    }
  }

  private long weightsMemory(TorchDevice device) {
    return options.weightsMemoryBytes() > 0
        ? options.weightsMemoryBytes()
        : device.totalMemoryBytes() / 2;
  }

  private int lanes(TorchDevice device) {
    if (options.lanes() > 0) {
      return options.lanes();
    }
    return device.isCuda() ? 1 : Runtime.getRuntime().availableProcessors();
  }

  private int tokensPerBatch(TorchDevice device) {
    if (options.tokensPerBatch() > 0) {
      return options.tokensPerBatch();
    }
    if (!device.isCuda()) {
      return CPU_TOKENS_PER_BATCH;
    }
    return gpuTokensPerBatch(device.totalMemoryBytes());
  }

  /**
   * A power of two, from the memory of the device and not from what is free of it: batches, and
   * with them the last bits of features, are the same on all workers with one kind of device.
   */
  static int gpuTokensPerBatch(long totalMemoryBytes) {
    long fitting = Long.highestOneBit(totalMemoryBytes / GPU_BYTES_PER_TOKEN);
    return (int) Math.max(1024, Math.min(65_536, fitting));
  }

  private FeatureCache cache() {
    return options
        .cacheDirectory()
        .map(
            directory ->
                FeatureCache.onDisk(
                    options.cacheMemoryBytes(), directory, options.cacheDiskBytes()))
        .orElseGet(() -> FeatureCache.inMemory(options.cacheMemoryBytes()));
  }

  /** The services to bind. */
  public List<ServerServiceDefinition> services() {
    RequestGuard requests = new RequestGuard(limits.maxMessageBytes());
    return List.of(
        requests.guard(new ExtractEndpoint(worker, limits, calls)),
        requests.guard(new TrainEndpoint(worker, limits, calls)),
        requests.guard(new QuantizeEndpoint(worker, limits, calls, places, writableRoots)),
        new WorkerEndpoint(worker, limits, calls, places.roots().roots(), writableRoots.roots())
            .bindService(),
        health.getHealthService().bindService(),
        ProtoReflectionServiceV1.newInstance().bindService());
  }

  /** What jobs share; for work without transport. */
  public WorkerResources resources() {
    return worker;
  }

  /** Turns healthy. */
  public void serve() {
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.SERVING);
  }

  /**
   * Turns unhealthy, refuses new calls, gives those under way the grace period, and then ends them
   * retryably: with a checkpoint where that takes no longer than a moment.
   */
  public void drain() throws InterruptedException {
    calls.refuseNew();
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.NOT_SERVING);
    if (!calls.awaitNone(options.drainGrace().toNanos())) {
      calls.active().forEach(Calls.Call::drain);
      if (!calls.awaitNone(DRAIN_NANOS)) {
        calls.active().forEach(Calls.Call::cut);
      }
    }
  }

  @Override
  public void close() {
    health.enterTerminalState();
    alarms.close();
    worker.lanes().close();
    worker.backbones().close();
    worker.pooler().close();
  }
}

package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import dev.graft.server.hub.HubSettings;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** How a worker is set up. A plain class: the defaults stand in the fields. */
public final class WorkerOptions {
  private static final int MOST_LANES = 1024;

  /** What an array can hold. */
  private static final long MOST_FILE_BYTES = Integer.MAX_VALUE - 8;

  private String host = "127.0.0.1";
  private int port = 8470;
  private List<Path> modelRoots = List.of();
  private Optional<HubSettings> hub = Optional.empty();
  private List<Path> writableRoots = List.of();
  private String device = "auto";
  private int lanes;
  private Optional<ComputeDtype> computeDtype = Optional.empty();
  private Optional<Kernel> kernel = Optional.empty();
  private int tokensPerBatch;
  private long weightsMemoryBytes;
  private long cacheMemoryBytes = 256L << 20;
  private Optional<Path> cacheDirectory = Optional.empty();
  private long cacheDiskBytes = 10L << 30;
  private int maxMessageBytes = 1 << 20;
  private int maxConcurrentCalls = 64;
  private long maxFileBytes = Math.min(1L << 30, Runtime.getRuntime().maxMemory() / 16);
  private long maxTrainFeatureBytes = Math.min(8L << 30, Runtime.getRuntime().maxMemory() / 4);
  private Duration specTimeout = Duration.ofMinutes(1);
  private Duration drainGrace = Duration.ofSeconds(20);

  public String host() {
    return host;
  }

  public int port() {
    return port;
  }

  /** Where to listen; port 0 is any free one. */
  public WorkerOptions listen(String newHost, int newPort) {
    check(newPort >= 0 && newPort < 1 << 16, "listen", "a port from 0 to 65535", newPort);
    host = newHost;
    port = newPort;
    return this;
  }

  public List<Path> modelRoots() {
    return modelRoots;
  }

  /** Directories under which backbones may lie. */
  public WorkerOptions modelRoots(List<Path> roots) {
    modelRoots = List.copyOf(roots);
    return this;
  }

  public Optional<HubSettings> hub() {
    return hub;
  }

  /** From where {@code hf://} backbones are fetched, for all callers; empty means from nowhere. */
  public WorkerOptions hub(Optional<HubSettings> settings) {
    hub = settings;
    return this;
  }

  public List<Path> writableRoots() {
    return writableRoots;
  }

  /** Directories under which quantized backbones may be written; none means that none are. */
  public WorkerOptions writableRoots(List<Path> roots) {
    writableRoots = List.copyOf(roots);
    return this;
  }

  public String device() {
    return device;
  }

  /** {@code auto}, {@code cpu} or {@code cuda:N}. */
  public WorkerOptions device(String name) {
    device = name;
    return this;
  }

  public int lanes() {
    return lanes;
  }

  /** Batches computed at the same time; 0 means one for each core, or one on a GPU. */
  public WorkerOptions lanes(int count) {
    check(count >= 0 && count <= MOST_LANES, "lanes", "from 0 to " + MOST_LANES, count);
    lanes = count;
    return this;
  }

  public Optional<ComputeDtype> computeDtype() {
    return computeDtype;
  }

  /** What callers get who ask for no type; empty means the fastest, measured at start. */
  public WorkerOptions computeDtype(Optional<ComputeDtype> dtype) {
    computeDtype = dtype;
    return this;
  }

  public Optional<Kernel> kernel() {
    return kernel;
  }

  /** The kernel for all types that it has; empty means the fastest for each. */
  public WorkerOptions kernel(Optional<Kernel> only) {
    kernel = only;
    return this;
  }

  public int tokensPerBatch() {
    return tokensPerBatch;
  }

  /** Most tokens of a batch; 0 means what suits the device. */
  public WorkerOptions tokensPerBatch(int tokens) {
    check(tokens >= 0, "tokens_per_batch", "at least 0", tokens);
    tokensPerBatch = tokens;
    return this;
  }

  public long weightsMemoryBytes() {
    return weightsMemoryBytes;
  }

  /**
   * Most memory for one backbone's weights; the blocks of a larger one are read again for each
   * window of batches. 0 means half of the device's memory.
   */
  public WorkerOptions weightsMemoryBytes(long bytes) {
    check(bytes >= 0, "weights_memory_bytes", "at least 0", bytes);
    weightsMemoryBytes = bytes;
    return this;
  }

  public long cacheMemoryBytes() {
    return cacheMemoryBytes;
  }

  /** Features that are kept in memory. */
  public WorkerOptions cacheMemoryBytes(long bytes) {
    check(bytes >= 0, "cache_memory_bytes", "at least 0", bytes);
    cacheMemoryBytes = bytes;
    return this;
  }

  public Optional<Path> cacheDirectory() {
    return cacheDirectory;
  }

  /** Where features are kept on disk; empty means nowhere. */
  public WorkerOptions cacheDirectory(Optional<Path> directory) {
    cacheDirectory = directory;
    return this;
  }

  public long cacheDiskBytes() {
    return cacheDiskBytes;
  }

  /** Features that are kept on disk. */
  public WorkerOptions cacheDiskBytes(long bytes) {
    check(bytes >= 0, "cache_disk_bytes", "at least 0", bytes);
    cacheDiskBytes = bytes;
    return this;
  }

  public int maxMessageBytes() {
    return maxMessageBytes;
  }

  /** Largest message, in both directions. */
  public WorkerOptions maxMessageBytes(int bytes) {
    int least = WorkerLimits.LEAST_MESSAGE_BYTES;
    check(bytes >= least, "max_message_bytes", "at least " + least, bytes);
    maxMessageBytes = bytes;
    return this;
  }

  public int maxConcurrentCalls() {
    return maxConcurrentCalls;
  }

  /** Extract, Train and Quantize calls at the same time. */
  public WorkerOptions maxConcurrentCalls(int calls) {
    check(calls > 0, "max_concurrent_calls", "at least 1", calls);
    maxConcurrentCalls = calls;
    return this;
  }

  public long maxFileBytes() {
    return maxFileBytes;
  }

  /** Largest uploaded file; by default what the heap can hold several of. */
  public WorkerOptions maxFileBytes(long bytes) {
    check(
        bytes >= 0 && bytes <= MOST_FILE_BYTES,
        "max_file_bytes",
        "from 0 to " + MOST_FILE_BYTES,
        bytes);
    maxFileBytes = bytes;
    return this;
  }

  public long maxTrainFeatureBytes() {
    return maxTrainFeatureBytes;
  }

  /**
   * Most bytes of features that the Train calls may hold together; by default a quarter of the
   * heap.
   */
  public WorkerOptions maxTrainFeatureBytes(long bytes) {
    check(bytes >= 0, "max_train_feature_bytes", "at least 0", bytes);
    maxTrainFeatureBytes = bytes;
    return this;
  }

  public Duration specTimeout() {
    return specTimeout;
  }

  /** How long a call may take to send its spec. */
  public WorkerOptions specTimeout(Duration timeout) {
    check(timeout.compareTo(Duration.ZERO) > 0, "spec_timeout", "above 0", timeout);
    specTimeout = timeout;
    return this;
  }

  public Duration drainGrace() {
    return drainGrace;
  }

  /** How long running calls may go on when the worker is asked to stop. */
  public WorkerOptions drainGrace(Duration grace) {
    check(!grace.isNegative(), "drain_grace", "at least 0", grace);
    drainGrace = grace;
    return this;
  }

  private static void check(boolean valid, String option, String requirement, Object value) {
    if (!valid) {
      throw invalid(option, "must be " + requirement + ", not " + value);
    }
  }

  /** An option that this worker cannot start with. */
  static GraftException invalid(String option, String problem) {
    return GraftException.invalidArgument("INVALID_OPTION", option + " " + problem + ".")
        .with("option", option);
  }
}

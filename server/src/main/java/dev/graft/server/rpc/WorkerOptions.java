package dev.graft.server.rpc;

import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** How a worker is set up. A plain class: the defaults stand in the fields. */
public final class WorkerOptions {
  private String host = "127.0.0.1";
  private int port = 8470;
  private List<Path> modelRoots = List.of();
  private String device = "auto";
  private int lanes;
  private Optional<ComputeDtype> computeDtype = Optional.empty();
  private Optional<Kernel> kernel = Optional.empty();
  private int tokensPerBatch;
  private long cacheMemoryBytes = 256L << 20;
  private Optional<Path> cacheDirectory = Optional.empty();
  private long cacheDiskBytes = 10L << 30;
  private int maxMessageBytes = 1 << 20;
  private int maxConcurrentCalls = 64;
  private long maxFileBytes = 1L << 30;
  private long maxTrainFeatureBytes = 8L << 30;
  private Duration drainGrace = Duration.ofSeconds(20);

  public String host() {
    return host;
  }

  public int port() {
    return port;
  }

  /** Where to listen; port 0 is any free one. */
  public WorkerOptions listen(String newHost, int newPort) {
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

  /** Most padded tokens of a batch; 0 means what suits the device. */
  public WorkerOptions tokensPerBatch(int tokens) {
    tokensPerBatch = tokens;
    return this;
  }

  public long cacheMemoryBytes() {
    return cacheMemoryBytes;
  }

  /** Features that are kept in memory. */
  public WorkerOptions cacheMemoryBytes(long bytes) {
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
    cacheDiskBytes = bytes;
    return this;
  }

  public int maxMessageBytes() {
    return maxMessageBytes;
  }

  /** Largest message, in both directions. */
  public WorkerOptions maxMessageBytes(int bytes) {
    maxMessageBytes = bytes;
    return this;
  }

  public int maxConcurrentCalls() {
    return maxConcurrentCalls;
  }

  /** Extract and Train calls at the same time. */
  public WorkerOptions maxConcurrentCalls(int calls) {
    maxConcurrentCalls = calls;
    return this;
  }

  public long maxFileBytes() {
    return maxFileBytes;
  }

  public long maxTrainFeatureBytes() {
    return maxTrainFeatureBytes;
  }

  /** Most bytes of features that one Train call may hold. */
  public WorkerOptions maxTrainFeatureBytes(long bytes) {
    maxTrainFeatureBytes = bytes;
    return this;
  }

  public Duration drainGrace() {
    return drainGrace;
  }

  /** How long running calls may go on when the worker is asked to stop. */
  public WorkerOptions drainGrace(Duration grace) {
    drainGrace = grace;
    return this;
  }
}

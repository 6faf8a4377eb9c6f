package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.WritableRoots;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TorchDevice;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * Writes a quantized, or an unquantized, copy of a backbone. Weights are converted on the lanes;
 * all else happens on the thread that runs the job.
 */
public final class QuantizeJob {
  /** What happens with the results; called on the thread that runs the job. */
  public interface Listener {
    /** A tensor is done. They come in the order of their numbers. */
    void onTensor(TensorReport report);

    /**
     * A part of a file of the result, only without destination.
     *
     * @param offset bytes of the file before this part
     * @param fileBytes size of the whole file
     * @param data valid during the call
     */
    void onFile(String name, long offset, long fileBytes, ByteBuffer data);

    /** Waits until more results should be produced. */
    void awaitRoom() throws InterruptedException;
  }

  /**
   * A tensor that is done.
   *
   * @param relativeError Frobenius norm of the difference divided by that of the source
   * @param maxError largest absolute difference
   */
  public record TensorReport(
      String name,
      long index,
      long total,
      long sourceBytes,
      long resultBytes,
      double relativeError,
      double maxError) {}

  /**
   * How it ended.
   *
   * @param digest of the result, as of a loaded backbone
   * @param destination the directory that was made
   */
  public record Result(
      long sourceBytes,
      long resultBytes,
      String digest,
      Optional<Path> destination,
      double relativeError) {}

  private final TorchDevice device;
  private final Lanes.Turns turns;
  private final BackbonePlaces sources;
  private final WritableRoots destinations;
  private final int chunkBytes;
  private final FileOpener files;

  /** Guarded by this. */
  private Thread thread;

  /** Guarded by this. */
  private boolean cancelled;

  /**
   * @param sources where backbones may be read
   * @param destinations where results may be written
   * @param chunkBytes most bytes of a part of a file
   */
  public QuantizeJob(
      TorchDevice device,
      Lanes lanes,
      BackbonePlaces sources,
      WritableRoots destinations,
      int chunkBytes) {
    this(device, lanes, sources, destinations, chunkBytes, FileOpener.NEW_FILES);
  }

  QuantizeJob(
      TorchDevice device,
      Lanes lanes,
      BackbonePlaces sources,
      WritableRoots destinations,
      int chunkBytes,
      FileOpener files) {
    this.device = device;
    this.turns = lanes.open();
    this.sources = sources;
    this.destinations = destinations;
    this.chunkBytes = chunkBytes;
    this.files = files;
  }

  /**
   * Does the work. Whatever goes wrong, nothing of the result is left.
   *
   * @throws CancellationException if the job was cancelled
   * @throws GraftException as the contract lists
   */
  public Result run(QuantizeRequest request, Listener listener) {
    synchronized (this) {
      thread = Thread.currentThread();
    }
    try {
      requireGoingOn();
      return perform(request, listener);
    } catch (InterruptedException | InterruptedIOException | ClosedByInterruptException e) {
      throw ended(e);
    } catch (IOException e) {
      throw isCancelled() ? ended(e) : DiskErrors.explained(e);
    } finally {
      synchronized (this) {
        thread = null;
        Thread.interrupted(); // meant for this job alone
      }
    }
  }

  /** Stops the work soon; from any thread, and more than once is the same as once. */
  public synchronized void cancel() {
    cancelled = true;
    turns.close();
    if (thread != null) {
      thread.interrupt();
    }
  }

  private synchronized boolean isCancelled() {
    return cancelled;
  }

  private void requireGoingOn() throws InterruptedException {
    if (isCancelled()) {
      throw new InterruptedException();
    }
  }

  private static CancellationException ended(Exception cause) {
    CancellationException ended = new CancellationException("The call is over.");
    ended.initCause(cause);
    return ended;
  }

  private Result perform(QuantizeRequest request, Listener listener)
      throws IOException, InterruptedException {
    Optional<Path> destination = request.destination().map(destinations::resolve);
    Checkpoint source = Checkpoint.open(sources.resolve(request.source()), sources.roots());
    ResultForm form = ResultForm.of(source, sources.roots(), request);
    try (WorkDirectory work = WorkDirectory.create(destination)) {
      List<ConvertedTensor> converted;
      try (Tensors tensors = Tensors.on(device);
          ResultDraft draft = form.begin(work.path(), files, new SourceReader(device, tensors))) {
        converted = convert(form.plan(), draft, listener);
        draft.finish(converted);
      }
      String digest = Checkpoint.open(work.path()).digest();
      requireGoingOn();
      if (destination.isPresent()) {
        work.moveTo(destination.get());
      } else {
        new ResultFiles(work.path(), files).handOver(listener, chunkBytes);
      }
      return result(converted, digest, destination);
    }
  }

  private List<ConvertedTensor> convert(
      List<PlannedTensor> plan, ResultDraft draft, Listener listener)
      throws IOException, InterruptedException {
    OrderedSteps<ConvertedTensor> steps = new OrderedSteps<>(turns, memoryBudget(plan));
    List<ConvertedTensor> converted = new ArrayList<>();
    try {
      int next = 0;
      while (converted.size() < plan.size()) {
        requireGoingOn(); // also where the next results are there already
        while (next < plan.size() && steps.hasRoomFor(plan.get(next).memoryBytes())) {
          PlannedTensor tensor = plan.get(next++);
          steps.submit(tensor.memoryBytes(), () -> draft.convert(tensor));
        }
        listener.awaitRoom();
        ConvertedTensor done = steps.take();
        listener.onTensor(report(done, converted.size(), plan.size()));
        converted.add(done);
      }
      return converted;
    } finally {
      turns.close();
      steps.awaitNone(); // nothing is freed under their hands
    }
  }

  /** What conversions may take together: the largest alone, or several of the others. */
  private static long memoryBudget(List<PlannedTensor> plan) {
    return 3 * plan.stream().mapToLong(tensor -> tensor.source().bytes()).max().orElse(0);
  }

  private static TensorReport report(ConvertedTensor done, long index, long total) {
    return new TensorReport(
        done.tensor().name(),
        index,
        total,
        done.tensor().source().bytes(),
        done.bytes(),
        done.errors().relative(),
        done.errors().largest());
  }

  private static Result result(
      List<ConvertedTensor> converted, String digest, Optional<Path> destination) {
    ErrorSums errors = new ErrorSums();
    converted.forEach(each -> errors.add(each.errors()));
    return new Result(
        converted.stream().mapToLong(each -> each.tensor().source().bytes()).sum(),
        converted.stream().mapToLong(ConvertedTensor::bytes).sum(),
        digest,
        destination,
        errors.relative());
  }
}

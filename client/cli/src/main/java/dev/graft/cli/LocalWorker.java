package dev.graft.cli;

import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.ComputeDtype;
import java.io.IOException;
import java.util.Optional;

/** A Graft worker in this process. */
final class LocalWorker implements EmbeddedWorker {
  private final Worker worker;

  private LocalWorker(Worker worker) {
    this.worker = worker;
  }

  static LocalWorker start(Settings settings) throws IOException {
    return new LocalWorker(
        Worker.start(
            new WorkerOptions()
                .listen(settings.host(), settings.port())
                .modelRoots(settings.modelRoots())
                .device(settings.device())
                .lanes(settings.lanes().orElse(0))
                .computeDtype(computeDtype(settings))));
  }

  private static Optional<ComputeDtype> computeDtype(Settings settings) {
    return switch (settings.computeDtype()) {
      case COMPUTE_DTYPE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
      case COMPUTE_DTYPE_FP32 -> Optional.of(ComputeDtype.FP32);
      case COMPUTE_DTYPE_BF16 -> Optional.of(ComputeDtype.BF16);
      case COMPUTE_DTYPE_FP16 -> Optional.of(ComputeDtype.FP16);
    };
  }

  @Override
  public int port() {
    return worker.port();
  }

  @Override
  public void awaitTermination() throws InterruptedException {
    worker.await();
  }

  @Override
  public void drain() {
    try {
      worker.drain();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      worker.close();
    }
  }

  @Override
  public void close() {
    worker.close();
  }
}

package dev.graft.cli;

import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import java.io.IOException;

/** A Graft worker in this process. */
final class LocalWorker implements EmbeddedWorker {
  private final Worker worker;

  private LocalWorker(Worker worker) {
    this.worker = worker;
  }

  static LocalWorker start(WorkerOptions options) throws IOException {
    return new LocalWorker(Worker.start(options));
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

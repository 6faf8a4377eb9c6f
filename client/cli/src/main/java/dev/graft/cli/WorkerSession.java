package dev.graft.cli;

import dev.graft.client.GraftClient;
import java.util.Optional;

/** A connection to a worker, and the worker if it is the command's own. */
final class WorkerSession implements AutoCloseable {
  private final Optional<EmbeddedWorker> own;
  private final GraftClient client;

  private WorkerSession(Optional<EmbeddedWorker> own, GraftClient client) {
    this.own = own;
    this.client = client;
  }

  static WorkerSession remote(String target) {
    return new WorkerSession(Optional.empty(), GraftClient.connect(target));
  }

  static WorkerSession own(EmbeddedWorker worker, GraftClient client) {
    return new WorkerSession(Optional.of(worker), client);
  }

  GraftClient client() {
    return client;
  }

  @Override
  public void close() {
    client.close();
    own.ifPresent(EmbeddedWorker::close);
  }
}

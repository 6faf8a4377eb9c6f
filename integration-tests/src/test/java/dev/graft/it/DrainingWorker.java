package dev.graft.it;

import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A process as {@code graft serve}, whose running calls have no time when it is told to stop. */
final class DrainingWorker {
  private DrainingWorker() {}

  /** Serves until it is told to stop; {@code args} is a model root. */
  public static void main(String[] args) throws Exception {
    Worker worker =
        Worker.start(
            new WorkerOptions()
                .listen("127.0.0.1", 0)
                .modelRoots(List.of(Path.of(args[0])))
                .lanes(1)
                .drainGrace(Duration.ofMillis(1)));
    Thread drain =
        new Thread(
            () -> {
              try {
                worker.drain();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
              // Otherwise the process ends as one that a signal killed.
              Runtime.getRuntime().halt(0);
            },
            "drain");
    Runtime.getRuntime().addShutdownHook(drain);
    System.out.println("listening on 127.0.0.1:" + worker.port());
    worker.await();
  }
}

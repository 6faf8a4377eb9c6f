package dev.graft.cli;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C and SIGTERM. The process waits for the command to undo what is half done: what runs is
 * cancelled, and the command then ends as after any failure.
 */
final class Interruption {
  /** Something that was told to stop at an interruption; closing takes it out. */
  interface Registration extends AutoCloseable {
    @Override
    void close();
  }

  private final Set<Runnable> cancellations = ConcurrentHashMap.newKeySet();
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean interrupted;
  private volatile int exitCode;

  /** From now on signals are taken. */
  void install(Duration patience) {
    Thread hook =
        new Thread(
            () -> {
              if (ended.getCount() > 0) {
                interrupt();
                awaitEnd(patience);
                endWell();
              }
            },
            "graft-interruption");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Runs the cancellations, as a signal does. */
  void interrupt() {
    interrupted = true;
    cancellations.forEach(Runnable::run);
  }

  private void awaitEnd(Duration patience) {
    try {
      ended.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A command that was told to stop and did so well, such as a worker that drained, did not fail;
   * left alone, Java ends like a process that the signal killed.
   */
  private void endWell() {
    if (ended.getCount() == 0 && exitCode == 0) {
      Runtime.getRuntime().halt(0);
    }
  }

  /** Has something cancelled at an interruption; at once if there was one. */
  Registration onInterrupt(Runnable cancel) {
    cancellations.add(cancel);
    if (interrupted) {
      cancel.run();
    }
    return () -> cancellations.remove(cancel);
  }

  boolean isInterrupted() {
    return interrupted;
  }

  /** The command has ended. */
  void ended(int newExitCode) {
    exitCode = newExitCode;
    ended.countDown();
  }
}

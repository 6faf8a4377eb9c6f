package dev.graft.client;

import java.util.Iterator;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Moves a call's requests from their source to the wire, only while the wire takes them. The source
 * may block, so it is pulled on an executor and never on a gRPC thread; while the wire is full no
 * thread is held. Stopping interrupts a source that blocks.
 */
final class RequestPump<Q> {
  /** Where requests go. */
  interface Outlet<Q> {
    boolean isReady();

    void send(Q request);

    void sourceExhausted();

    void sourceFailed(Throwable thrown);
  }

  private final Iterator<Q> source;
  private final Executor executor;
  private final Outlet<Q> outlet;
  private final AtomicInteger wakeUps = new AtomicInteger();
  private volatile boolean stopped;
  private volatile FutureTask<Void> running;

  RequestPump(Iterator<Q> source, Executor executor, Outlet<Q> outlet) {
    this.source = source;
    this.executor = executor;
    this.outlet = outlet;
  }

  /** Pumps if the wire takes something; returns at once. */
  void wake() {
    if (wakeUps.getAndIncrement() > 0) {
      return; // the running task sees the count and looks again
    }
    FutureTask<Void> task = new FutureTask<>(this::run, null);
    running = task;
    if (stopped) {
      return;
    }
    try {
      executor.execute(task);
    } catch (RejectedExecutionException rejected) {
      outlet.sourceFailed(rejected);
    }
  }

  /** Pulls nothing more. */
  void stop() {
    stopped = true;
    FutureTask<Void> task = running;
    if (task != null) {
      task.cancel(true);
    }
  }

  private void run() {
    int seen = wakeUps.get();
    do {
      try {
        pump();
      } catch (Throwable thrown) { // whatever the source throws is the caller's to see
        stopped = true;
        outlet.sourceFailed(thrown);
      }
      seen = wakeUps.addAndGet(-seen);
    } while (seen > 0);
  }

  private void pump() {
    while (!stopped && outlet.isReady()) {
      if (!source.hasNext()) {
        stopped = true;
        outlet.sourceExhausted();
      } else {
        outlet.send(source.next());
      }
    }
  }
}

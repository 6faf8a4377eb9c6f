package dev.graft.spark;

import dev.graft.client.pool.WorkerPool;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The pools of a JVM, one for each farm, shared by its tasks. A pool is closed when nobody has used
 * it for a while, so that tasks that follow each other find it connected.
 */
final class SharedPools {
  static final SharedPools OF_THIS_JVM = new SharedPools(Duration.ofMinutes(1), Farm::connect);

  private final Duration linger;
  private final Function<Farm, WorkerPool> connect;
  private final ScheduledThreadPoolExecutor scheduler = scheduler();

  private final Map<Farm, Shared> pools = new HashMap<>(); // guarded by this

  SharedPools(Duration linger, Function<Farm, WorkerPool> connect) {
    this.linger = linger;
    this.connect = connect;
  }

  private static final class Shared {
    private final WorkerPool pool;
    private int users;
    private int lastUse; // number of the use that was the last, to tell whether others came since

    Shared(WorkerPool pool) {
      this.pool = pool;
    }
  }

  /** A pool in use, until it is closed. */
  final class Lease implements AutoCloseable {
    private final Farm farm;
    private final Shared shared;
    private boolean closed;

    private Lease(Farm farm, Shared shared) {
      this.farm = farm;
      this.shared = shared;
    }

    WorkerPool pool() {
      return shared.pool;
    }

    /** Gives it back. */
    @Override
    public void close() {
      if (!closed) {
        closed = true;
        giveBack(farm, shared);
      }
    }
  }

  synchronized Lease lease(Farm farm) {
    Shared shared = pools.computeIfAbsent(farm, unknown -> new Shared(connect.apply(unknown)));
    shared.users++;
    shared.lastUse++;
    return new Lease(farm, shared);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // closing a pool that is used again does nothing
  private synchronized void giveBack(Farm farm, Shared shared) {
    shared.users--;
    int use = shared.lastUse;
    if (shared.users == 0) {
      scheduler.schedule(
          () -> closeUnlessUsed(farm, shared, use), linger.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private synchronized void closeUnlessUsed(Farm farm, Shared shared, int use) {
    if (shared.users == 0 && shared.lastUse == use) {
      pools.remove(farm);
      shared.pool.close();
    }
  }

  private static ScheduledThreadPoolExecutor scheduler() {
    return new ScheduledThreadPoolExecutor(
        1,
        task -> {
          Thread thread = new Thread(task, "graft-idle-pools");
          thread.setDaemon(true);
          return thread;
        });
  }
}

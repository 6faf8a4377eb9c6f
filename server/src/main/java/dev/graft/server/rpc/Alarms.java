package dev.graft.server.rpc;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Runs things later. */
interface Alarms {
  /** Runs {@code action} after a while, unless the alarm is switched off before. */
  Alarm set(Duration delay, Runnable action);

  /** Something that will run. */
  interface Alarm {
    /** Does nothing to an alarm that has gone off. */
    void switchOff();
  }

  /** Alarms on a thread of their own. */
  final class OnThread implements Alarms, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Alarms.class.getName());

    private final ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "graft-alarms");
              thread.setDaemon(true);
              return thread;
            });

    OnThread() {
      executor.setRemoveOnCancelPolicy(true);
    }

    @Override
    public Alarm set(Duration delay, Runnable action) {
      Future<?> alarm =
          executor.schedule(() -> guarded(action), delay.toNanos(), TimeUnit.NANOSECONDS);
      return () -> alarm.cancel(false);
    }

    private static void guarded(Runnable action) {
      try {
        action.run();
      } catch (RuntimeException | Error e) { // otherwise nobody would ever learn of it
        LOG.log(System.Logger.Level.ERROR, "An alarm failed", e);
      }
    }

    @Override
    public void close() {
      executor.shutdownNow();
    }
  }
}

package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** The Extract, Train and Quantize calls under way: bounded, and told when the worker goes away. */
final class Calls {
  /** A call that can be ended early. */
  interface Call {
    /** Ends the call in a way that the client can go on from elsewhere. */
    void drain();

    /** Ends the call at once, where {@link #drain} has taken too long. */
    default void cut() {
      drain();
    }
  }

  static final String OUT_OF_MEMORY = "OUT_OF_MEMORY";

  /** Variable of {@link #OUT_OF_MEMORY}: how many other calls were under way. */
  static final String OTHER_CALLS = "other_calls";

  private final int most;
  private final Alarms alarms;
  private final Duration specTimeout;

  /** Guarded by this. */
  private final Set<Call> active = new LinkedHashSet<>();

  /** Guarded by this. */
  private boolean draining;

  /**
   * Prepares for calls.
   *
   * @param most calls at the same time
   * @param specTimeout how long a call may take to say what it wants: while it does not, it stands
   *     in the way of others
   */
  Calls(int most, Alarms alarms, Duration specTimeout) {
    this.most = most;
    this.alarms = alarms;
    this.specTimeout = specTimeout;
  }

  /**
   * Takes a call in.
   *
   * @throws GraftException UNAVAILABLE (WORKER_DRAINING) or RESOURCE_EXHAUSTED (TOO_MANY_CALLS)
   */
  synchronized void enter(Call call) {
    if (draining) {
      throw draining();
    }
    if (active.size() >= most) {
      throw GraftException.of(
          GraftException.Category.RESOURCE_EXHAUSTED,
          "TOO_MANY_CALLS",
          "This worker already has "
              + most
              + " calls under way, which is its limit. Try again, or another worker.");
    }
    active.add(call);
  }

  /** Ends a call that has sent nothing in time, unless the alarm is switched off before. */
  Alarms.Alarm awaitSpec(Consumer<GraftException> fail) {
    return alarms.set(
        specTimeout,
        () ->
            fail.accept(
                GraftException.of(
                        GraftException.Category.DEADLINE_EXCEEDED,
                        "SPEC_TIMEOUT",
                        "No spec came in the first "
                            + specTimeout.toSeconds()
                            + " seconds of the call. Open a call when its spec is ready, and send the spec first.")
                    .with("limit_seconds", specTimeout.toSeconds())));
  }

  synchronized void leave(Call call) {
    active.remove(call);
    notifyAll();
  }

  synchronized int size() {
    return active.size();
  }

  synchronized boolean isDraining() {
    return draining;
  }

  /** Refuses new calls from now on. */
  synchronized void refuseNew() {
    draining = true;
  }

  /** The calls that are still under way. */
  synchronized List<Call> active() {
    return List.copyOf(active);
  }

  /** Waits until no call is under way, for at most the given time. */
  synchronized boolean awaitNone(long nanos) throws InterruptedException {
    long end = System.nanoTime() + nanos;
    while (!active.isEmpty()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      wait(left / 1_000_000, (int) (left % 1_000_000));
    }
    return true;
  }

  /** A lack of memory, with what can be done about it; any other error as it is. */
  Throwable explained(Throwable error) {
    if (error instanceof OutOfMemoryError) {
      return outOfMemory("The worker's Java heap does not suffice").causedBy(error);
    }
    if (error instanceof GraftException known && known.reason().equals(OUT_OF_MEMORY)) {
      String device = known.metadata().getOrDefault("device", "");
      return outOfMemory("The memory of device " + device + " does not suffice")
          .with("device", device)
          .causedBy(error);
    }
    return error;
  }

  /** It passes where other calls take memory too. */
  private synchronized GraftException outOfMemory(String problem) {
    int others = Math.max(0, active.size() - 1);
    return GraftException.of(
            GraftException.Category.RESOURCE_EXHAUSTED,
            OUT_OF_MEMORY,
            problem
                + (others > 0
                    ? " while "
                        + others
                        + " other calls are under way. Try later, or another worker."
                    : " for this call alone. The client can lower max_tokens, send less, or use a"
                        + " smaller backbone or a 16-bit compute_dtype; the worker's operator can"
                        + " give it more memory, or fewer lanes."))
        .with(OTHER_CALLS, others);
  }

  static GraftException draining() {
    return GraftException.of(
        GraftException.Category.UNAVAILABLE,
        "WORKER_DRAINING",
        "This worker is going away. Go on at another one.");
  }
}

package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The Extract and Train calls under way: bounded, and told when the worker goes away. */
final class Calls {
  /** A call that can be ended early. */
  interface Call {
    /** Ends the call in a way that the client can go on from elsewhere. */
    void drain();
  }

  private final int most;

  /** Guarded by this. */
  private final Set<Call> active = new LinkedHashSet<>();

  /** Guarded by this. */
  private boolean draining;

  Calls(int most) {
    this.most = most;
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

  static GraftException draining() {
    return GraftException.of(
        GraftException.Category.UNAVAILABLE,
        "WORKER_DRAINING",
        "This worker is going away. Go on at another one.");
  }
}

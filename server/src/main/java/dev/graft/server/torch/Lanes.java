package dev.graft.server.torch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;

/**
 * The threads that own a device. Each lane runs one step at a time; calls that have steps waiting
 * take turns, one step each. On a CPU there is a single-threaded lane for each core, on a GPU one.
 */
public final class Lanes implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Lanes.class.getName());

  private final List<Thread> threads = new ArrayList<>();
  private final Object lock = new Object();

  /** Calls with waiting steps, in the order of their turns. Guarded by lock. */
  private final Queue<Turns> waiting = new ArrayDeque<>();

  /** Guarded by lock. */
  private boolean closed;

  private Lanes(int count) {
    for (int i = 0; i < count; i++) {
      Thread thread = new Thread(this::work, "graft-lane-" + i);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
  }

  public static Lanes start(int count) {
    return new Lanes(count);
  }

  /** Number of steps that run at the same time. */
  public int count() {
    return threads.size();
  }

  /** Opens a call's place in the turns. */
  public Turns open() {
    return new Turns();
  }

  private void work() {
    for (Turn turn = next(); turn != null; turn = next()) {
      turn.step().run();
      turn.call().ended();
    }
  }

  private Turn next() {
    synchronized (lock) {
      while (waiting.isEmpty()) {
        if (closed) {
          return null;
        }
        try {
          lock.wait();
        } catch (InterruptedException e) {
          return null;
        }
      }
      Turns turns = waiting.remove();
      Step<?> step = turns.steps.remove();
      turns.running++;
      if (!turns.steps.isEmpty()) {
        waiting.add(turns);
      }
      return new Turn(turns, step);
    }
  }

  /** Lets the running steps end, cancels the others, and ends the threads. */
  @Override
  public void close() {
    List<Step<?>> left = new ArrayList<>();
    synchronized (lock) {
      closed = true;
      for (Turns turns : waiting) {
        left.addAll(turns.steps);
        turns.steps.clear();
      }
      waiting.clear();
      lock.notifyAll();
    }
    left.forEach(Step::cancel);
    for (Thread thread : threads) {
      boolean interrupted = false;
      while (thread.isAlive() && thread != Thread.currentThread()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** One call's steps. */
  public final class Turns implements AutoCloseable {
    /** Guarded by lock. */
    private final Deque<Step<?>> steps = new ArrayDeque<>();

    /** Steps that lanes are at, and actions that {@link #hold} is at. Guarded by lock. */
    private int running;

    /** Guarded by lock. */
    private boolean over;

    /** Runs when the call is over and none of its steps runs. Guarded by lock. */
    private Runnable whenOver = () -> {};

    private Turns() {}

    /**
     * Runs {@code step} on a lane when it is this call's turn; steps of one call start in order.
     *
     * @param completion gets the result and null, or null and what went wrong, on the lane's
     *     thread; a step that never runs because the call or the lanes are closed ends with a
     *     {@link CancellationException}. If it throws when it gets the result, it gets what it has
     *     thrown as what went wrong
     */
    public <T> void submit(Callable<T> step, BiConsumer<T, Throwable> completion) {
      Step<T> waitingStep = new Step<>(step, completion);
      boolean accepted;
      synchronized (lock) {
        accepted = !closed && !over;
        if (accepted) {
          steps.add(waitingStep);
          if (steps.size() == 1) {
            waiting.add(this);
          }
          lock.notify();
        }
      }
      if (!accepted) {
        waitingStep.cancel();
      }
    }

    /**
     * Runs {@code action} on the calling thread unless the call is over; the release waits for it.
     *
     * @return whether it ran
     */
    public boolean hold(Runnable action) {
      synchronized (lock) {
        if (over) {
          return false;
        }
        running++;
      }
      try {
        action.run();
      } finally {
        ended();
      }
      return true;
    }

    /** Cancels the steps that have not begun. */
    @Override
    public void close() {
      closeAndThen(() -> {});
    }

    /**
     * Cancels the steps that have not begun, and runs {@code release} when those that have are
     * done: at once, or on the thread of the last. So what steps use is not freed under their
     * hands. Only the first closing counts.
     */
    public void closeAndThen(Runnable release) {
      List<Step<?>> left;
      boolean now;
      synchronized (lock) {
        if (over) {
          return;
        }
        over = true;
        now = running == 0;
        whenOver = release;
        left = List.copyOf(steps);
        steps.clear();
        waiting.remove(this);
      }
      left.forEach(Step::cancel);
      if (now) {
        release.run();
      }
    }

    private void ended() {
      Runnable release = () -> {};
      synchronized (lock) {
        running--;
        if (over && running == 0) {
          release = whenOver;
        }
      }
      try {
        release.run();
      } catch (Throwable e) {
        // Errors too: the lane must live on.
        LOG.log(System.Logger.Level.ERROR, "A call's resources could not be freed", e);
      }
    }
  }

  private record Turn(Turns call, Step<?> step) {}

  private record Step<T>(Callable<T> body, BiConsumer<T, Throwable> completion) {
    void run() {
      T result;
      try {
        result = body.call();
      } catch (Throwable e) {
        // Errors too: whoever waits for the result must learn of them, and the lane must live on.
        complete(null, e);
        return;
      }
      complete(result, null);
    }

    void cancel() {
      complete(null, new CancellationException("The call is over."));
    }

    private void complete(T result, Throwable error) {
      try {
        completion.accept(result, error);
      } catch (Throwable e) {
        // Errors too: whoever waits for the result must learn of them, and the lane must live on.
        if (error == null) {
          complete(null, e);
        } else {
          LOG.log(System.Logger.Level.ERROR, "A step's failure could not be handed over", e);
        }
      }
    }
  }
}

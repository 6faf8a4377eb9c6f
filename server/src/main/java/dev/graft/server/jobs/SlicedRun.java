package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.torch.Lanes;
import dev.graft.server.training.Evaluation;
import dev.graft.server.training.LogEntry;
import dev.graft.server.training.TrainingListener;
import dev.graft.server.training.TrainingProgress;
import dev.graft.server.training.TrainingResult;
import dev.graft.server.training.TrainingRun;
import dev.graft.server.training.TrainingStarted;

/**
 * The second half of a training: its steps are made in slices, so that other calls have their turns
 * on the lanes, and a slice follows when there is room for what it tells.
 */
final class SlicedRun implements AutoCloseable {
  /** How long a slice keeps its lane. */
  private static final long SLICE_NANOS = 5_000_000;

  /** How often progress is told, at most. */
  private static final long PROGRESS_NANOS = 250_000_000;

  /**
   * What happens in the run; {@code stepped} comes now and then, {@code finished} when its last
   * slice is over.
   */
  interface Listener extends TrainingListener {
    /** The run failed; nothing follows. */
    void failed(Throwable error);

    /** Runs {@code action} when more can be told. */
    void whenRoom(Runnable action);
  }

  private enum State {
    /** The next slice waits for room. */
    WAITING,
    /** A slice waits for its turn, or is under way. */
    UNDER_WAY,
    OVER
  }

  private final TrainingRun run;
  private final Lanes.Turns turns;
  private final Listener listener;

  /** Guarded by this. */
  private State state = State.WAITING;

  /** Used by the slice under way. */
  private long nextProgressNanos = System.nanoTime();

  private volatile boolean draining;

  /** A slice ends early when it sees it. */
  private volatile boolean stopped;

  SlicedRun(TrainingRun run, Lanes.Turns turns, Listener listener) {
    this.run = run;
    this.turns = turns;
    this.listener = listener;
  }

  /** Lets the next slice follow, unless one does already. */
  void proceed() {
    synchronized (this) {
      if (state != State.WAITING) {
        return;
      }
      state = State.UNDER_WAY;
    }
    Slice slice = new Slice();
    turns.submit(slice::make, (more, error) -> ended(slice, more, error));
  }

  private void ended(Slice slice, Boolean more, Throwable error) {
    boolean waits = error == null && more;
    synchronized (this) {
      state = waits ? State.WAITING : State.OVER;
    }
    if (error != null) {
      listener.failed(error);
    } else if (!waits) {
      listener.finished(slice.result);
    } else if (draining) {
      proceed();
    } else {
      listener.whenRoom(this::proceed);
    }
  }

  /** Asks for a checkpoint after the current step. */
  void requestCheckpoint() {
    run.requestCheckpoint();
  }

  /** Ends the run with WORKER_DRAINING after a checkpoint, whether or not there is room for it. */
  void drain() {
    draining = true;
    proceed();
  }

  static GraftException leaving() {
    return GraftException.of(
        GraftException.Category.UNAVAILABLE,
        "WORKER_DRAINING",
        "This worker is going away. Resume from the last checkpoint on another one.");
  }

  /** Lets the slice under way end soon. */
  void stop() {
    stopped = true;
  }

  /** Frees the run; no slice may be under way. */
  @Override
  public void close() {
    run.close();
  }

  /** Some steps; ends early after a checkpoint, which may be large. */
  private final class Slice implements TrainingListener {
    private boolean checkpointed;
    private TrainingProgress progress;
    private TrainingResult result;

    /** Tells whether there is more to do. */
    boolean make() {
      long end = System.nanoTime() + SLICE_NANOS;
      boolean more = true;
      while (more && !stopped && !draining && !checkpointed && System.nanoTime() < end) {
        more = run.step(this);
      }
      tellProgress();
      if (more && draining && !stopped) {
        if (!checkpointed) {
          run.requestCheckpoint();
          more = run.step(this);
        }
        if (more) {
          throw leaving();
        }
      }
      return more;
    }

    private void tellProgress() {
      long now = System.nanoTime();
      if (progress != null && now - nextProgressNanos >= 0) {
        nextProgressNanos = now + PROGRESS_NANOS;
        listener.stepped(progress);
      }
    }

    @Override
    public void started(TrainingStarted started) {
      listener.started(started);
    }

    @Override
    public void stepped(TrainingProgress newProgress) {
      progress = newProgress;
    }

    @Override
    public void logged(LogEntry entry) {
      listener.logged(entry);
    }

    @Override
    public void evaluated(Evaluation evaluation) {
      listener.evaluated(evaluation);
    }

    @Override
    public void checkpoint(long step, byte[] file) {
      checkpointed = true;
      listener.checkpoint(step, file);
    }

    @Override
    public void finished(TrainingResult finished) {
      result = finished;
    }
  }
}

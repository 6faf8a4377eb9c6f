package dev.graft.server.jobs;

import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.torch.Lanes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Features that came ready. Those that come together make one step on a lane, as batches of a
 * backbone do: so their predictions are computed together, and never on the transport's threads.
 */
final class ReadyFeatures {
  /** Steps under way above which the caller is asked to wait. */
  private static final int MOST_STEPS = 4;

  private final Lanes.Turns turns;
  private final Consumer<List<ItemFeatures>> results;
  private final Consumer<Throwable> onError;

  /** What is not submitted. Used by who adds, one thread at a time. */
  private List<ItemFeatures> gathered = new ArrayList<>();

  /** Steps that are not done. Guarded by this. */
  private int steps;

  /** Guarded by this. */
  private boolean failed;

  /** Runs when there are few steps again; null when nobody waits. Guarded by this. */
  private Runnable whenReady;

  /** Runs when there is no step; null when nobody waits. Guarded by this. */
  private Runnable whenDone;

  /**
   * @param results computes them and hands them over, on a lane
   */
  ReadyFeatures(
      Lanes.Turns turns, Consumer<List<ItemFeatures>> results, Consumer<Throwable> onError) {
    this.turns = turns;
    this.results = results;
    this.onError = onError;
  }

  void add(ItemFeatures features) {
    gathered.add(features);
  }

  /** Submits what was added since the last time. */
  void submit() {
    if (gathered.isEmpty()) {
      return;
    }
    List<ItemFeatures> together = gathered;
    gathered = new ArrayList<>();
    synchronized (this) {
      steps++;
    }
    turns.submit(
        () -> {
          results.accept(together);
          return true;
        },
        (done, error) -> done(error));
  }

  /** Runs {@code action} when more should be added: at once, or on a lane's thread. */
  void whenReady(Runnable action) {
    synchronized (this) {
      if (steps > MOST_STEPS && !failed) {
        whenReady = action;
        return;
      }
    }
    action.run();
  }

  /**
   * Runs {@code action} when all that was submitted is done: at once, or on a lane's thread; never
   * where it failed.
   */
  void whenDone(Runnable action) {
    synchronized (this) {
      if (steps > 0 || failed) {
        whenDone = action;
        return;
      }
    }
    action.run();
  }

  private void done(Throwable error) {
    List<Runnable> actions = new ArrayList<>();
    synchronized (this) {
      if (failed) {
        return;
      }
      steps--;
      failed = error != null;
      if (whenReady != null && (steps <= MOST_STEPS || failed)) {
        actions.add(whenReady);
        whenReady = null;
      }
      if (whenDone != null && steps == 0 && !failed) {
        actions.add(whenDone);
        whenDone = null;
      }
    }
    if (error != null) {
      onError.accept(error);
    }
    actions.forEach(Runnable::run);
  }
}

package dev.graft.client;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The end of a training. Cancelling it, or completing it otherwise, ends the call. */
public final class TrainingFuture extends CompletableFuture<TrainEvent.Completed> {
  private final CheckpointRequests checkpoints;
  private volatile TrainEvent last;
  private volatile TrainEvent.CheckpointSaved lastCheckpoint;

  TrainingFuture(CheckpointRequests checkpoints) {
    this.checkpoints = checkpoints;
  }

  /**
   * Asks for a checkpoint after the current optimizer step, from any thread; {@link
   * #lastCheckpoint} has it when it has come. Does nothing to a call that is over.
   */
  public void requestCheckpoint() {
    checkpoints.send();
  }

  /** The last checkpoint that has come so far; also of a training that failed or was cancelled. */
  public Optional<TrainEvent.CheckpointSaved> lastCheckpoint() {
    return Optional.ofNullable(lastCheckpoint);
  }

  void take(TrainEvent event) {
    last = event;
    if (event instanceof TrainEvent.CheckpointSaved saved) {
      lastCheckpoint = saved;
    }
  }

  TrainEvent.Completed result() {
    return (TrainEvent.Completed) last;
  }
}

package dev.graft.client;

import java.util.concurrent.Flow;

/**
 * Train calls for reactive code: each subscription is a call of its own, whose last event is {@link
 * TrainEvent.Completed} if it succeeds.
 */
public final class TrainingPublisher implements Flow.Publisher<TrainEvent> {
  private final Flow.Publisher<TrainEvent> opener;
  private final CheckpointRequests checkpoints;

  TrainingPublisher(Flow.Publisher<TrainEvent> opener, CheckpointRequests checkpoints) {
    this.opener = opener;
    this.checkpoints = checkpoints;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super TrainEvent> subscriber) {
    opener.subscribe(subscriber);
  }

  /**
   * Asks the calls that run for this publisher's subscribers for a checkpoint after the current
   * optimizer step, from any thread; it comes as a {@link TrainEvent.CheckpointSaved}.
   */
  public void requestCheckpoint() {
    checkpoints.send();
  }
}

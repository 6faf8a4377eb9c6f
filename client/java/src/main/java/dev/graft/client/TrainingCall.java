package dev.graft.client;

import java.util.Iterator;

/**
 * A running Train call as an iterator over its events; the last one of a training that succeeded is
 * {@link TrainEvent.Completed}. One thread iterates; closing before the end cancels the call. A
 * failed call throws its {@link GraftRpcException}, or what an items' iterator threw, from {@code
 * hasNext} and {@code next}.
 */
public final class TrainingCall implements Iterator<TrainEvent>, AutoCloseable {
  private final BlockingEvents<TrainEvent> events;
  private final CheckpointRequests checkpoints;

  TrainingCall(BlockingEvents<TrainEvent> events, CheckpointRequests checkpoints) {
    this.events = events;
    this.checkpoints = checkpoints;
  }

  @Override
  public boolean hasNext() {
    return events.hasNext();
  }

  @Override
  public TrainEvent next() {
    return events.next();
  }

  /**
   * Asks for a checkpoint after the current optimizer step, from any thread; it comes as a {@link
   * TrainEvent.CheckpointSaved}. Does nothing to a call that is over.
   */
  public void requestCheckpoint() {
    checkpoints.send();
  }

  /** Cancels the call, from any thread; whoever waits gets a {@link CallCancelledException}. */
  public void cancel() {
    events.cancel();
  }

  /** Cancels the call unless it is over. */
  @Override
  public void close() {
    events.cancel();
  }
}

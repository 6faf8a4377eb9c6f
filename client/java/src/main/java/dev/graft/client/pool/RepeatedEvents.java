package dev.graft.client.pool;

import dev.graft.client.TrainEvent;

/** Knows which events of a training that went on at another worker came before. */
final class RepeatedEvents {
  private boolean ready;
  private boolean started;
  private long loggedStep = -1;
  private long evaluatedStep = -1;
  private long savedStep = -1;

  /** Whether an event like this one came before; it has now. */
  boolean contains(TrainEvent event) {
    if (event instanceof TrainEvent.Ready) {
      boolean before = ready;
      ready = true;
      return before;
    }
    if (event instanceof TrainEvent.Extraction) {
      return started;
    }
    if (event instanceof TrainEvent.Started) {
      boolean before = started;
      started = true;
      return before;
    }
    if (event instanceof TrainEvent.Log log) {
      boolean before = log.entry().getStep() <= loggedStep;
      loggedStep = Math.max(loggedStep, log.entry().getStep());
      return before;
    }
    if (event instanceof TrainEvent.Evaluated evaluated) {
      boolean before = evaluated.evaluation().getStep() <= evaluatedStep;
      evaluatedStep = Math.max(evaluatedStep, evaluated.evaluation().getStep());
      return before;
    }
    if (event instanceof TrainEvent.CheckpointSaved saved) {
      boolean before = saved.step() <= savedStep;
      savedStep = Math.max(savedStep, saved.step());
      return before;
    }
    return false;
  }
}

package dev.graft.server.training;

/** When something is done: never, every so many optimizer steps, or at the end of each epoch. */
public enum IntervalStrategy {
  NO,
  STEPS,
  EPOCH
}

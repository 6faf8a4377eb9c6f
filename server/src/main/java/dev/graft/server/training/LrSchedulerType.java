package dev.graft.server.training;

/** How the learning rate changes; the formulas are in {@link LearningRateSchedule}. */
public enum LrSchedulerType {
  LINEAR,
  COSINE,
  CONSTANT,
  CONSTANT_WITH_WARMUP
}

package dev.graft.server.training;

/**
 * The learning rate of each optimizer step, as transformers' optimization.py computes it.
 *
 * @param peak the highest learning rate
 * @param warmupSteps steps over which it rises from 0
 * @param totalSteps steps of the whole run
 */
record LearningRateSchedule(LrSchedulerType type, double peak, long warmupSteps, long totalSteps) {

  /** Learning rate of the step after {@code stepsDone} steps. */
  double at(long stepsDone) {
    return peak * factor(stepsDone);
  }

  private double factor(long step) {
    if (step < warmupSteps && type != LrSchedulerType.CONSTANT) {
      return step / (double) Math.max(1, warmupSteps);
    }
    double decaySteps = Math.max(1, totalSteps - warmupSteps);
    return switch (type) {
      case LINEAR -> Math.max(0, (totalSteps - step) / decaySteps);
      case COSINE ->
          Math.max(0, 0.5 * (1 + Math.cos(Math.PI * ((step - warmupSteps) / decaySteps))));
      case CONSTANT, CONSTANT_WITH_WARMUP -> 1;
    };
  }
}

package dev.graft.server.training;

/**
 * How many of everything a run has, as Trainer.set_initial_training_values counts.
 *
 * @param batchesPerEpoch forward passes of an epoch
 * @param stepsPerEpoch optimizer steps of an epoch; the last may have fewer batches
 * @param epochs epochs begun, the last perhaps not to its end
 * @param totalSteps optimizer steps of the run
 * @param loggingInterval steps between log entries; likewise evalInterval and saveInterval (0: only
 *     at the end)
 */
record TrainingPlan(
    long batchesPerEpoch,
    long stepsPerEpoch,
    long epochs,
    long totalSteps,
    long loggingInterval,
    long evalInterval,
    long saveInterval,
    long warmupSteps) {
  /** Far more than can be done, and far from any overflow. */
  private static final double MOST_STEPS = 1L << 50;

  static TrainingPlan of(TrainingArguments arguments, long items) {
    long batches = batches(items, arguments.perDeviceTrainBatchSize(), arguments);
    if (batches == 0) {
      throw InvalidField.of(
          "dataloader_drop_last",
          "leaves nothing of %d training items in batches of %d"
              .formatted(items, arguments.perDeviceTrainBatchSize()));
    }
    long steps = ceilDiv(batches, arguments.gradientAccumulationSteps());
    boolean epochBased = arguments.maxSteps() <= 0;
    double total =
        epochBased ? Math.ceil(arguments.numTrainEpochs() * steps) : arguments.maxSteps();
    InvalidField.check(
        total <= MOST_STEPS,
        epochBased ? "num_train_epochs" : "max_steps",
        "must give at most 2^50 steps",
        total);
    long totalSteps = (long) total;
    return new TrainingPlan(
        batches,
        steps,
        epochBased ? (long) Math.ceil(arguments.numTrainEpochs()) : ceilDiv(totalSteps, steps),
        totalSteps,
        interval(arguments.loggingSteps(), totalSteps),
        interval(arguments.evalSteps(), totalSteps),
        interval(arguments.saveSteps(), totalSteps),
        warmup(arguments, totalSteps));
  }

  /** Number of batches of a pass over {@code items}. */
  static long batches(long items, int batchSize, TrainingArguments arguments) {
    return arguments.dataloaderDropLast() ? items / batchSize : ceilDiv(items, batchSize);
  }

  private static long interval(double steps, long totalSteps) {
    return (long) (steps < 1 ? Math.ceil(totalSteps * steps) : steps);
  }

  private static long warmup(TrainingArguments arguments, long totalSteps) {
    double steps = arguments.warmupSteps();
    if (steps >= 1) {
      return (long) steps;
    }
    return (long) Math.ceil(totalSteps * (steps > 0 ? steps : arguments.warmupRatio()));
  }

  private static long ceilDiv(long a, long b) {
    return a / b + (a % b == 0 ? 0 : 1);
  }
}

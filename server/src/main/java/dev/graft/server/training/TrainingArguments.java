package dev.graft.server.training;

/**
 * Hyperparameters with the names, defaults and semantics of transformers.TrainingArguments 5.23;
 * nothing in it is unset.
 *
 * @param learningRate peak learning rate
 * @param perDeviceTrainBatchSize items of a forward pass
 * @param perDeviceEvalBatchSize items of a forward pass of an evaluation
 * @param numTrainEpochs passes over the training items, possibly fractional
 * @param maxSteps optimizer steps instead of epochs; 0 or less means none
 * @param gradientAccumulationSteps batches of an optimizer step. Each batch's loss is its own mean,
 *     and they count alike however many items they have: so the Trainer trains a module whose
 *     forward takes no loss arguments
 * @param weightDecay of weights; biases and LayerNorm have none. Decoupled for AdamW, an L2 penalty
 *     for SGD, as in torch
 * @param maxGradNorm largest norm of a step's gradient; 0 means no clipping
 * @param warmupSteps steps of warmup; below 1, the share of all steps
 * @param warmupRatio the share of all steps, where warmupSteps is 0
 * @param loggingSteps steps between log entries; below 1, the share of all steps; likewise
 *     evalSteps and saveSteps
 * @param dataloaderDropLast leaves out the last batch of an epoch, and of an evaluation, if it is
 *     not full
 * @param metricForBestModel with or without {@code eval_}
 * @param earlyStoppingPatience evaluations without improvement after which training stops; 0 means
 *     never
 * @param earlyStoppingThreshold how much better counts as improvement
 */
public record TrainingArguments(
    double learningRate,
    int perDeviceTrainBatchSize,
    int perDeviceEvalBatchSize,
    double numTrainEpochs,
    long maxSteps,
    int gradientAccumulationSteps,
    double weightDecay,
    double adamBeta1,
    double adamBeta2,
    double adamEpsilon,
    double maxGradNorm,
    LrSchedulerType lrSchedulerType,
    double warmupSteps,
    double warmupRatio,
    Optimizer optim,
    double momentum,
    double loggingSteps,
    IntervalStrategy loggingStrategy,
    boolean loggingFirstStep,
    IntervalStrategy evalStrategy,
    double evalSteps,
    IntervalStrategy saveStrategy,
    double saveSteps,
    long seed,
    double labelSmoothingFactor,
    boolean dataloaderDropLast,
    TrainSamplingStrategy trainSamplingStrategy,
    boolean loadBestModelAtEnd,
    String metricForBestModel,
    boolean greaterIsBetter,
    int earlyStoppingPatience,
    double earlyStoppingThreshold) {

  /** Checks every value and their combinations; INVALID_ARGUMENT names the field. */
  public TrainingArguments {
    atLeast(0, "learning_rate", learningRate);
    atLeast(1, "per_device_train_batch_size", perDeviceTrainBatchSize);
    atLeast(1, "per_device_eval_batch_size", perDeviceEvalBatchSize);
    above0("num_train_epochs", numTrainEpochs);
    atLeast(1, "gradient_accumulation_steps", gradientAccumulationSteps);
    atLeast(0, "weight_decay", weightDecay);
    below1("adam_beta1", adamBeta1);
    below1("adam_beta2", adamBeta2);
    above0("adam_epsilon", adamEpsilon);
    atLeast(0, "max_grad_norm", maxGradNorm);
    atLeast(0, "warmup_steps", warmupSteps);
    share("warmup_ratio", warmupRatio);
    below1("momentum", momentum);
    InvalidField.check(
        momentum == 0 || optim == Optimizer.SGD, "momentum", "is of SGD only", momentum);
    interval("logging_steps", loggingSteps, loggingStrategy);
    InvalidField.check(
        loggingStrategy != IntervalStrategy.STEPS || loggingSteps > 0,
        "logging_steps",
        "must be above 0 (or logging_strategy NO)",
        loggingSteps);
    interval("eval_steps", evalSteps, evalStrategy);
    InvalidField.check(
        evalStrategy != IntervalStrategy.STEPS || evalSteps > 0,
        "eval_steps",
        "must be above 0",
        evalSteps);
    interval("save_steps", saveSteps, saveStrategy);
    share("label_smoothing_factor", labelSmoothingFactor);
    if (evalStrategy == IntervalStrategy.NO) {
      needsEvaluations("load_best_model_at_end", loadBestModelAtEnd);
      needsEvaluations("early_stopping_patience", earlyStoppingPatience > 0);
    }
    atLeast(0, "early_stopping_patience", earlyStoppingPatience);
    atLeast(0, "early_stopping_threshold", earlyStoppingThreshold);
  }

  /** All defaults. */
  public static TrainingArguments defaults() {
    return builder().build();
  }

  public static TrainingArgumentsBuilder builder() {
    return new TrainingArgumentsBuilder();
  }

  /** Whether evaluations are compared, to find the best or to stop early. */
  boolean comparesEvaluations() {
    return loadBestModelAtEnd || earlyStoppingPatience > 0;
  }

  /** The metric that evaluations are compared by, with {@code eval_}. */
  String comparedMetric() {
    return metricForBestModel.startsWith("eval_")
        ? metricForBestModel
        : "eval_" + metricForBestModel;
  }

  private static void atLeast(double least, String field, double value) {
    InvalidField.check(
        value >= least && Double.isFinite(value),
        field,
        "must be at least " + (long) least + " and finite",
        value);
  }

  private static void above0(String field, double value) {
    InvalidField.check(
        value > 0 && Double.isFinite(value), field, "must be above 0 and finite", value);
  }

  private static void below1(String field, double value) {
    InvalidField.check(value >= 0 && value < 1, field, "must be from 0 to below 1", value);
  }

  private static void share(String field, double value) {
    InvalidField.check(value >= 0 && value <= 1, field, "must be from 0 to 1", value);
  }

  private static void interval(String field, double value, IntervalStrategy strategy) {
    atLeast(0, field, value);
    InvalidField.check(
        strategy != IntervalStrategy.STEPS || value <= 1 || value == Math.rint(value),
        field,
        "must be a whole number of steps, or below 1 a share of all steps",
        value);
  }

  private static void needsEvaluations(String field, boolean asked) {
    InvalidField.check(!asked, field, "needs eval_strategy STEPS or EPOCH", "NO");
  }
}

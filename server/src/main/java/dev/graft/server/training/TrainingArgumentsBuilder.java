package dev.graft.server.training;

import java.util.Optional;

/** Collects {@link TrainingArguments}; what is not set has the Trainer's default. */
public final class TrainingArgumentsBuilder {
  private double learningRate = 5e-5;
  private int perDeviceTrainBatchSize = 8;
  private int perDeviceEvalBatchSize = 8;
  private double numTrainEpochs = 3;
  private long maxSteps = -1;
  private int gradientAccumulationSteps = 1;
  private double weightDecay;
  private double adamBeta1 = 0.9;
  private double adamBeta2 = 0.999;
  private double adamEpsilon = 1e-8;
  private double maxGradNorm = 1;
  private LrSchedulerType lrSchedulerType = LrSchedulerType.LINEAR;
  private double warmupSteps;
  private double warmupRatio;
  private Optimizer optim = Optimizer.ADAMW_TORCH;
  private double momentum;
  private double loggingSteps = 500;
  private IntervalStrategy loggingStrategy = IntervalStrategy.STEPS;
  private boolean loggingFirstStep;
  private IntervalStrategy evalStrategy = IntervalStrategy.NO;
  private double evalSteps;
  private IntervalStrategy saveStrategy = IntervalStrategy.STEPS;
  private double saveSteps = 500;
  private long seed = 42;
  private double labelSmoothingFactor;
  private boolean dataloaderDropLast;
  private TrainSamplingStrategy trainSamplingStrategy = TrainSamplingStrategy.RANDOM;
  private boolean loadBestModelAtEnd;
  private String metricForBestModel = "";
  private Optional<Boolean> greaterIsBetter = Optional.empty();
  private int earlyStoppingPatience;
  private double earlyStoppingThreshold;

  TrainingArgumentsBuilder() {}

  public TrainingArgumentsBuilder learningRate(double value) {
    learningRate = value;
    return this;
  }

  public TrainingArgumentsBuilder perDeviceTrainBatchSize(int value) {
    perDeviceTrainBatchSize = value;
    return this;
  }

  public TrainingArgumentsBuilder perDeviceEvalBatchSize(int value) {
    perDeviceEvalBatchSize = value;
    return this;
  }

  public TrainingArgumentsBuilder numTrainEpochs(double value) {
    numTrainEpochs = value;
    return this;
  }

  public TrainingArgumentsBuilder maxSteps(long value) {
    maxSteps = value;
    return this;
  }

  public TrainingArgumentsBuilder gradientAccumulationSteps(int value) {
    gradientAccumulationSteps = value;
    return this;
  }

  public TrainingArgumentsBuilder weightDecay(double value) {
    weightDecay = value;
    return this;
  }

  public TrainingArgumentsBuilder adamBeta1(double value) {
    adamBeta1 = value;
    return this;
  }

  public TrainingArgumentsBuilder adamBeta2(double value) {
    adamBeta2 = value;
    return this;
  }

  public TrainingArgumentsBuilder adamEpsilon(double value) {
    adamEpsilon = value;
    return this;
  }

  public TrainingArgumentsBuilder maxGradNorm(double value) {
    maxGradNorm = value;
    return this;
  }

  public TrainingArgumentsBuilder lrSchedulerType(LrSchedulerType value) {
    lrSchedulerType = value;
    return this;
  }

  public TrainingArgumentsBuilder warmupSteps(double value) {
    warmupSteps = value;
    return this;
  }

  public TrainingArgumentsBuilder warmupRatio(double value) {
    warmupRatio = value;
    return this;
  }

  public TrainingArgumentsBuilder optim(Optimizer value) {
    optim = value;
    return this;
  }

  public TrainingArgumentsBuilder momentum(double value) {
    momentum = value;
    return this;
  }

  public TrainingArgumentsBuilder loggingSteps(double value) {
    loggingSteps = value;
    return this;
  }

  public TrainingArgumentsBuilder loggingStrategy(IntervalStrategy value) {
    loggingStrategy = value;
    return this;
  }

  public TrainingArgumentsBuilder loggingFirstStep(boolean value) {
    loggingFirstStep = value;
    return this;
  }

  public TrainingArgumentsBuilder evalStrategy(IntervalStrategy value) {
    evalStrategy = value;
    return this;
  }

  /** Unset or 0 means {@code loggingSteps}. */
  public TrainingArgumentsBuilder evalSteps(double value) {
    evalSteps = value;
    return this;
  }

  public TrainingArgumentsBuilder saveStrategy(IntervalStrategy value) {
    saveStrategy = value;
    return this;
  }

  public TrainingArgumentsBuilder saveSteps(double value) {
    saveSteps = value;
    return this;
  }

  public TrainingArgumentsBuilder seed(long value) {
    seed = value;
    return this;
  }

  public TrainingArgumentsBuilder labelSmoothingFactor(double value) {
    labelSmoothingFactor = value;
    return this;
  }

  public TrainingArgumentsBuilder dataloaderDropLast(boolean value) {
    dataloaderDropLast = value;
    return this;
  }

  public TrainingArgumentsBuilder trainSamplingStrategy(TrainSamplingStrategy value) {
    trainSamplingStrategy = value;
    return this;
  }

  public TrainingArgumentsBuilder loadBestModelAtEnd(boolean value) {
    loadBestModelAtEnd = value;
    return this;
  }

  /** Unset or empty means {@code loss}. */
  public TrainingArgumentsBuilder metricForBestModel(String value) {
    metricForBestModel = value;
    return this;
  }

  /** Unset means: not if the metric's name ends in {@code loss} or {@code mae}. */
  public TrainingArgumentsBuilder greaterIsBetter(boolean value) {
    greaterIsBetter = Optional.of(value);
    return this;
  }

  public TrainingArgumentsBuilder earlyStoppingPatience(int value) {
    earlyStoppingPatience = value;
    return this;
  }

  public TrainingArgumentsBuilder earlyStoppingThreshold(double value) {
    earlyStoppingThreshold = value;
    return this;
  }

  /** INVALID_ARGUMENT names the field that is wrong. */
  public TrainingArguments build() {
    String metric = metricForBestModel.isEmpty() ? "loss" : metricForBestModel;
    return new TrainingArguments(
        learningRate,
        perDeviceTrainBatchSize,
        perDeviceEvalBatchSize,
        numTrainEpochs,
        maxSteps,
        gradientAccumulationSteps,
        weightDecay,
        adamBeta1,
        adamBeta2,
        adamEpsilon,
        maxGradNorm,
        lrSchedulerType,
        warmupSteps,
        warmupRatio,
        optim,
        momentum,
        loggingSteps,
        loggingStrategy,
        loggingFirstStep,
        evalStrategy,
        evalSteps == 0 ? loggingSteps : evalSteps,
        saveStrategy,
        saveSteps,
        seed,
        labelSmoothingFactor,
        dataloaderDropLast,
        trainSamplingStrategy,
        loadBestModelAtEnd,
        metric,
        greaterIsBetter.orElse(!metric.endsWith("loss") && !metric.endsWith("mae")),
        earlyStoppingPatience,
        earlyStoppingThreshold);
  }
}

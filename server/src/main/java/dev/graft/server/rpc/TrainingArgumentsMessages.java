package dev.graft.server.rpc;

import dev.graft.server.GraftException;
import dev.graft.server.training.IntervalStrategy;
import dev.graft.server.training.LrSchedulerType;
import dev.graft.server.training.Optimizer;
import dev.graft.server.training.TrainSamplingStrategy;
import dev.graft.server.training.TrainingArguments;
import dev.graft.server.training.TrainingArgumentsBuilder;
import java.util.Optional;
import java.util.function.Consumer;

/** Translates {@code TrainingArguments}; what is unset has the Trainer's default. */
final class TrainingArgumentsMessages {
  private TrainingArgumentsMessages() {}

  static TrainingArguments arguments(dev.graft.v1.TrainingArguments m) {
    TrainingArgumentsBuilder builder = TrainingArguments.builder();
    set(m.hasLearningRate(), m.getLearningRate(), builder::learningRate);
    set(
        m.hasPerDeviceTrainBatchSize(),
        m.getPerDeviceTrainBatchSize(),
        builder::perDeviceTrainBatchSize);
    set(
        m.hasPerDeviceEvalBatchSize(),
        m.getPerDeviceEvalBatchSize(),
        builder::perDeviceEvalBatchSize);
    set(m.hasNumTrainEpochs(), m.getNumTrainEpochs(), builder::numTrainEpochs);
    set(m.hasMaxSteps(), m.getMaxSteps(), builder::maxSteps);
    set(
        m.hasGradientAccumulationSteps(),
        m.getGradientAccumulationSteps(),
        builder::gradientAccumulationSteps);
    set(m.hasWeightDecay(), m.getWeightDecay(), builder::weightDecay);
    set(m.hasAdamBeta1(), m.getAdamBeta1(), builder::adamBeta1);
    set(m.hasAdamBeta2(), m.getAdamBeta2(), builder::adamBeta2);
    set(m.hasAdamEpsilon(), m.getAdamEpsilon(), builder::adamEpsilon);
    set(m.hasMaxGradNorm(), m.getMaxGradNorm(), builder::maxGradNorm);
    schedule(m.getLrSchedulerType()).ifPresent(builder::lrSchedulerType);
    set(m.hasWarmupSteps(), m.getWarmupSteps(), builder::warmupSteps);
    set(m.hasWarmupRatio(), m.getWarmupRatio(), builder::warmupRatio);
    optimizer(m.getOptim()).ifPresent(builder::optim);
    set(m.hasMomentum(), m.getMomentum(), builder::momentum);
    set(m.hasLoggingSteps(), m.getLoggingSteps(), builder::loggingSteps);
    interval(m.getLoggingStrategy(), "logging_strategy").ifPresent(builder::loggingStrategy);
    builder.loggingFirstStep(m.getLoggingFirstStep());
    interval(m.getEvalStrategy(), "eval_strategy").ifPresent(builder::evalStrategy);
    set(m.hasEvalSteps(), m.getEvalSteps(), builder::evalSteps);
    interval(m.getSaveStrategy(), "save_strategy").ifPresent(builder::saveStrategy);
    set(m.hasSaveSteps(), m.getSaveSteps(), builder::saveSteps);
    set(m.hasSeed(), m.getSeed(), builder::seed);
    set(m.hasLabelSmoothingFactor(), m.getLabelSmoothingFactor(), builder::labelSmoothingFactor);
    builder.dataloaderDropLast(m.getDataloaderDropLast());
    sampling(m.getTrainSamplingStrategy()).ifPresent(builder::trainSamplingStrategy);
    builder.loadBestModelAtEnd(m.getLoadBestModelAtEnd());
    builder.metricForBestModel(m.getMetricForBestModel());
    set(m.hasGreaterIsBetter(), m.getGreaterIsBetter(), builder::greaterIsBetter);
    builder.earlyStoppingPatience(m.getEarlyStoppingPatience());
    builder.earlyStoppingThreshold(m.getEarlyStoppingThreshold());
    return builder.build();
  }

  private static <T> void set(boolean present, T value, Consumer<T> setter) {
    if (present) {
      setter.accept(value);
    }
  }

  /** With every default filled in. */
  static dev.graft.v1.TrainingArguments message(TrainingArguments arguments) {
    return dev.graft.v1.TrainingArguments.newBuilder()
        .setLearningRate(arguments.learningRate())
        .setPerDeviceTrainBatchSize(arguments.perDeviceTrainBatchSize())
        .setPerDeviceEvalBatchSize(arguments.perDeviceEvalBatchSize())
        .setNumTrainEpochs(arguments.numTrainEpochs())
        .setMaxSteps(arguments.maxSteps())
        .setGradientAccumulationSteps(arguments.gradientAccumulationSteps())
        .setWeightDecay(arguments.weightDecay())
        .setAdamBeta1(arguments.adamBeta1())
        .setAdamBeta2(arguments.adamBeta2())
        .setAdamEpsilon(arguments.adamEpsilon())
        .setMaxGradNorm(arguments.maxGradNorm())
        .setLrSchedulerType(
            switch (arguments.lrSchedulerType()) {
              case LINEAR -> dev.graft.v1.LrSchedulerType.LR_SCHEDULER_TYPE_LINEAR;
              case COSINE -> dev.graft.v1.LrSchedulerType.LR_SCHEDULER_TYPE_COSINE;
              case CONSTANT -> dev.graft.v1.LrSchedulerType.LR_SCHEDULER_TYPE_CONSTANT;
              case CONSTANT_WITH_WARMUP ->
                  dev.graft.v1.LrSchedulerType.LR_SCHEDULER_TYPE_CONSTANT_WITH_WARMUP;
            })
        .setWarmupSteps(arguments.warmupSteps())
        .setWarmupRatio(arguments.warmupRatio())
        .setOptim(
            switch (arguments.optim()) {
              case ADAMW_TORCH -> dev.graft.v1.Optimizer.OPTIMIZER_ADAMW_TORCH;
              case SGD -> dev.graft.v1.Optimizer.OPTIMIZER_SGD;
            })
        .setMomentum(arguments.momentum())
        .setLoggingSteps(arguments.loggingSteps())
        .setLoggingStrategy(message(arguments.loggingStrategy()))
        .setLoggingFirstStep(arguments.loggingFirstStep())
        .setEvalStrategy(message(arguments.evalStrategy()))
        .setEvalSteps(arguments.evalSteps())
        .setSaveStrategy(message(arguments.saveStrategy()))
        .setSaveSteps(arguments.saveSteps())
        .setSeed(arguments.seed())
        .setLabelSmoothingFactor(arguments.labelSmoothingFactor())
        .setDataloaderDropLast(arguments.dataloaderDropLast())
        .setTrainSamplingStrategy(
            switch (arguments.trainSamplingStrategy()) {
              case RANDOM -> dev.graft.v1.TrainSamplingStrategy.TRAIN_SAMPLING_STRATEGY_RANDOM;
              case SEQUENTIAL ->
                  dev.graft.v1.TrainSamplingStrategy.TRAIN_SAMPLING_STRATEGY_SEQUENTIAL;
            })
        .setLoadBestModelAtEnd(arguments.loadBestModelAtEnd())
        .setMetricForBestModel(arguments.metricForBestModel())
        .setGreaterIsBetter(arguments.greaterIsBetter())
        .setEarlyStoppingPatience(arguments.earlyStoppingPatience())
        .setEarlyStoppingThreshold(arguments.earlyStoppingThreshold())
        .build();
  }

  private static dev.graft.v1.IntervalStrategy message(IntervalStrategy strategy) {
    return switch (strategy) {
      case NO -> dev.graft.v1.IntervalStrategy.INTERVAL_STRATEGY_NO;
      case STEPS -> dev.graft.v1.IntervalStrategy.INTERVAL_STRATEGY_STEPS;
      case EPOCH -> dev.graft.v1.IntervalStrategy.INTERVAL_STRATEGY_EPOCH;
    };
  }

  private static Optional<LrSchedulerType> schedule(dev.graft.v1.LrSchedulerType type) {
    return switch (type) {
      case LR_SCHEDULER_TYPE_UNSPECIFIED -> Optional.empty();
      case LR_SCHEDULER_TYPE_LINEAR -> Optional.of(LrSchedulerType.LINEAR);
      case LR_SCHEDULER_TYPE_COSINE -> Optional.of(LrSchedulerType.COSINE);
      case LR_SCHEDULER_TYPE_CONSTANT -> Optional.of(LrSchedulerType.CONSTANT);
      case LR_SCHEDULER_TYPE_CONSTANT_WITH_WARMUP ->
          Optional.of(LrSchedulerType.CONSTANT_WITH_WARMUP);
      case UNRECOGNIZED -> throw unknown("lr_scheduler_type");
    };
  }

  private static Optional<Optimizer> optimizer(dev.graft.v1.Optimizer optimizer) {
    return switch (optimizer) {
      case OPTIMIZER_UNSPECIFIED -> Optional.empty();
      case OPTIMIZER_ADAMW_TORCH -> Optional.of(Optimizer.ADAMW_TORCH);
      case OPTIMIZER_SGD -> Optional.of(Optimizer.SGD);
      case UNRECOGNIZED -> throw unknown("optim");
    };
  }

  private static Optional<IntervalStrategy> interval(
      dev.graft.v1.IntervalStrategy strategy, String field) {
    return switch (strategy) {
      case INTERVAL_STRATEGY_UNSPECIFIED -> Optional.empty();
      case INTERVAL_STRATEGY_NO -> Optional.of(IntervalStrategy.NO);
      case INTERVAL_STRATEGY_STEPS -> Optional.of(IntervalStrategy.STEPS);
      case INTERVAL_STRATEGY_EPOCH -> Optional.of(IntervalStrategy.EPOCH);
      case UNRECOGNIZED -> throw unknown(field);
    };
  }

  private static Optional<TrainSamplingStrategy> sampling(
      dev.graft.v1.TrainSamplingStrategy strategy) {
    return switch (strategy) {
      case TRAIN_SAMPLING_STRATEGY_UNSPECIFIED -> Optional.empty();
      case TRAIN_SAMPLING_STRATEGY_RANDOM -> Optional.of(TrainSamplingStrategy.RANDOM);
      case TRAIN_SAMPLING_STRATEGY_SEQUENTIAL -> Optional.of(TrainSamplingStrategy.SEQUENTIAL);
      case UNRECOGNIZED -> throw unknown("train_sampling_strategy");
    };
  }

  private static GraftException unknown(String field) {
    return FeatureMessages.invalid(
        "arguments." + field, "has a value that this worker does not know");
  }
}

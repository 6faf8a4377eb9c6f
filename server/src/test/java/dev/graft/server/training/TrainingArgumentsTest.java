package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.graft.server.GraftException;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TrainingArgumentsTest {
  @Test
  void defaultsAreThoseOfTheTrainer() {
    TrainingArguments defaults = TrainingArguments.defaults();
    assertThat(defaults)
        .isEqualTo(
            new TrainingArguments(
                5e-5,
                8,
                8,
                3,
                -1,
                1,
                0,
                0.9,
                0.999,
                1e-8,
                1,
                LrSchedulerType.LINEAR,
                0,
                0,
                Optimizer.ADAMW_TORCH,
                0,
                500,
                IntervalStrategy.STEPS,
                false,
                IntervalStrategy.NO,
                500,
                IntervalStrategy.STEPS,
                500,
                42,
                0,
                false,
                TrainSamplingStrategy.RANDOM,
                false,
                "loss",
                false,
                0,
                0));
  }

  @Test
  void whatIsBetterFollowsFromTheMetric() {
    assertThat(better("eval_loss")).isFalse();
    assertThat(better("mae")).isFalse();
    assertThat(better("accuracy")).isTrue();
    assertThat(better("r2")).isTrue();
  }

  private static boolean better(String metric) {
    return TrainingArguments.builder().metricForBestModel(metric).build().greaterIsBetter();
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        wrong("learning_rate", b -> b.learningRate(-1)),
        wrong("learning_rate", b -> b.learningRate(Double.NaN)),
        wrong("per_device_train_batch_size", b -> b.perDeviceTrainBatchSize(0)),
        wrong("per_device_eval_batch_size", b -> b.perDeviceEvalBatchSize(0)),
        wrong("num_train_epochs", b -> b.numTrainEpochs(0)),
        wrong("gradient_accumulation_steps", b -> b.gradientAccumulationSteps(0)),
        wrong("weight_decay", b -> b.weightDecay(-0.1)),
        wrong("adam_beta1", b -> b.adamBeta1(1)),
        wrong("adam_beta2", b -> b.adamBeta2(-0.1)),
        wrong("adam_epsilon", b -> b.adamEpsilon(0)),
        wrong("max_grad_norm", b -> b.maxGradNorm(-1)),
        wrong("warmup_steps", b -> b.warmupSteps(-1)),
        wrong("warmup_ratio", b -> b.warmupRatio(1.5)),
        wrong("momentum", b -> b.momentum(0.9)),
        wrong("momentum", b -> b.optim(Optimizer.SGD).momentum(1)),
        wrong("logging_steps", b -> b.loggingSteps(0)),
        wrong("logging_steps", b -> b.loggingSteps(2.5)),
        wrong("eval_steps", b -> b.evalStrategy(IntervalStrategy.STEPS).evalSteps(1.5)),
        wrong(
            "eval_steps",
            b ->
                b.evalStrategy(IntervalStrategy.STEPS)
                    .loggingStrategy(IntervalStrategy.NO)
                    .loggingSteps(0)),
        wrong("save_steps", b -> b.saveSteps(1.5)),
        wrong("label_smoothing_factor", b -> b.labelSmoothingFactor(1.1)),
        wrong("load_best_model_at_end", b -> b.loadBestModelAtEnd(true)),
        wrong("early_stopping_patience", b -> b.earlyStoppingPatience(1)),
        wrong("early_stopping_threshold", b -> b.earlyStoppingThreshold(-1)));
  }

  private static Arguments wrong(String field, UnaryOperator<TrainingArgumentsBuilder> change) {
    return Arguments.of(field, change);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void namesTheWrongField(String field, UnaryOperator<TrainingArgumentsBuilder> change) {
    TrainingArgumentsBuilder builder = change.apply(TrainingArguments.builder());
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(builder::build)
        .satisfies(
            e -> {
              assertThat(e.category()).isEqualTo(GraftException.Category.INVALID_ARGUMENT);
              assertThat(e.metadata()).containsEntry("field", field);
              assertThat(e.getMessage()).startsWith(field);
            });
  }
}

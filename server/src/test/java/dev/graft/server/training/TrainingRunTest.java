package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.graft.server.GraftException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TrainingRunTest {
  private static final FeatureDataset TRAIN = Runs.dataset(Runs.crossEntropy(), 20, 0, 1);
  private static final FeatureDataset EVAL = Runs.dataset(Runs.crossEntropy(), 10, 0, 2);
  private static final FeatureDataset NONE = FeatureDataset.empty();

  @Test
  void aLossThatIsNotFiniteStopsTheRunAfterACheckpoint() {
    TrainingSpec spec =
        new TrainingSpec(
            ProjectorSpec.linear(0),
            new Objective.MeanSquaredError(),
            TrainingArguments.builder()
                .optim(Optimizer.SGD)
                .maxGradNorm(0)
                .learningRate(1e12)
                .lrSchedulerType(LrSchedulerType.CONSTANT)
                .numTrainEpochs(20)
                .build());
    FeatureDataset train = Runs.dataset(spec.objective(), 40, 2, 1);
    RecordingListener heard = new RecordingListener();
    try (TrainingRun run = Runs.prepare(spec, train, NONE, new byte[0])) {
      assertThatExceptionOfType(GraftException.class)
          .isThrownBy(
              () -> {
                while (run.step(heard)) {}
              })
          .satisfies(
              e -> {
                assertThat(e.category()).isEqualTo(GraftException.Category.ABORTED);
                assertThat(e.reason()).isEqualTo("NON_FINITE_LOSS");
              });
    }
    assertThat(heard.checkpoints).hasSize(1);
    long step = heard.checkpoints.keySet().iterator().next();
    assertThat(step).isBetween(1L, 20L);
    // Good weights: the checkpoint is accepted, and fails again at the same step.
    try (TrainingRun run = Runs.prepare(spec, train, NONE, heard.checkpoints.get(step))) {
      assertThatExceptionOfType(GraftException.class)
          .isThrownBy(() -> run.step(new RecordingListener()))
          .extracting(e -> e.metadata().get("step"))
          .isEqualTo(Long.toString(step + 1));
    }
  }

  @Test
  void dropoutFollowsFromTheSeed() {
    byte[] first = trained(0.5, 1);
    assertThat(trained(0.5, 1)).isEqualTo(first);
    assertThat(trained(0.4, 1)).isNotEqualTo(first);
    assertThat(trained(0.5, 2)).isNotEqualTo(first);
  }

  private static byte[] trained(double dropout, long seed) {
    TrainingSpec spec =
        new TrainingSpec(
            Runs.mlp(Activation.RELU, false, dropout),
            Runs.crossEntropy(),
            TrainingArguments.builder().seed(seed).learningRate(0.01).build());
    return Runs.finish(spec, TRAIN, NONE, new byte[0]).result.projectorFile();
  }

  @Test
  void everyStepIsTold() {
    RecordingListener heard =
        Runs.finish(spec(TrainingArguments.builder().loggingSteps(1)), TRAIN, NONE, new byte[0]);
    assertThat(heard.steps).hasSize(9);
    for (int i = 0; i < heard.steps.size(); i++) {
      LogEntry logged = heard.log.get(i);
      assertThat(heard.steps.get(i))
          .isEqualTo(new TrainingProgress(logged.step(), logged.epoch(), logged.loss()));
    }
  }

  @Test
  void aLongEvaluationIsNotSilent() {
    FeatureDataset large = Runs.dataset(Runs.crossEntropy(), 2_100, Runs.CLASSES, 1);
    RecordingListener heard =
        Runs.finish(
            spec(
                TrainingArguments.builder()
                    .maxSteps(1)
                    .evalStrategy(IntervalStrategy.STEPS)
                    .evalSteps(1)),
            TRAIN,
            large,
            new byte[0]);
    assertThat(heard.evaluations).hasSize(1);
    assertThat(heard.steps).hasSize(3); // the step, and two of the evaluation's three parts
    assertThat(heard.steps.get(1)).isEqualTo(heard.steps.get(0));
    assertThat(heard.steps.get(2)).isEqualTo(heard.steps.get(0));
  }

  @Test
  void learnsWhatCanBeLearned() {
    TrainingSpec spec =
        new TrainingSpec(
            Runs.mlp(Activation.GELU, true, 0.1),
            Runs.crossEntropy(),
            TrainingArguments.builder()
                .learningRate(0.01)
                .numTrainEpochs(60)
                .loggingSteps(1)
                .evalStrategy(IntervalStrategy.EPOCH)
                .build());
    RecordingListener heard = Runs.finish(spec, TRAIN, TRAIN, new byte[0]);
    assertThat(heard.evaluations.get(59).metrics())
        .containsKeys("eval_loss", "eval_accuracy", "eval_f1")
        .hasEntrySatisfying("eval_accuracy", accuracy -> assertThat(accuracy).isGreaterThan(0.9));
  }

  @Test
  void constantTargetsHaveNoR2() {
    Objective objective = new Objective.MeanSquaredError();
    FeatureCollector collector =
        new FeatureCollector("items", objective, 0, new FeatureMemory(10_000).open());
    for (int i = 0; i < 4; i++) {
      collector.add(
          new TrainingItem(i, Optional.of(new Label.Values(2)), false, new byte[] {(byte) i}));
      collector.put(i, new float[] {i});
    }
    FeatureDataset data = collector.finish();
    TrainingArgumentsBuilder arguments =
        TrainingArguments.builder().evalStrategy(IntervalStrategy.EPOCH).numTrainEpochs(1);
    TrainingSpec spec = new TrainingSpec(ProjectorSpec.linear(0), objective, arguments.build());
    RecordingListener heard = Runs.finish(spec, data, data, new byte[0]);
    assertThat(heard.evaluations.get(0).metrics()).containsOnlyKeys("eval_loss", "eval_mae");
  }

  @Test
  void refusesDataThatDoesNotFit() {
    TrainingSpec plain = spec(TrainingArguments.builder());
    TrainingSpec evaluating =
        spec(TrainingArguments.builder().evalStrategy(IntervalStrategy.EPOCH));
    refused("EMPTY_DATASET", plain, NONE, NONE);
    refused("EMPTY_DATASET", evaluating, TRAIN, NONE);
    FeatureDataset wide =
        new FeatureDataset(1, 2, List.of(new float[2]), List.of(), EVAL.labels(), "");
    refused("FEATURE_SIZE", evaluating, TRAIN, wide);
    TrainingSpec dropping =
        spec(TrainingArguments.builder().perDeviceTrainBatchSize(21).dataloaderDropLast(true));
    refused("INVALID_FIELD", dropping, TRAIN, NONE);
    refused("INVALID_FIELD", spec(TrainingArguments.builder().numTrainEpochs(1e300)), TRAIN, NONE);
  }

  @Test
  void refusesSpecsThatCannotBe() {
    invalid("output_size", ProjectorSpec.linear(4), TrainingArguments.builder());
    invalid(
        "metric_for_best_model",
        ProjectorSpec.linear(0),
        TrainingArguments.builder()
            .evalStrategy(IntervalStrategy.EPOCH)
            .loadBestModelAtEnd(true)
            .metricForBestModel("mae"));
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(
            () ->
                TrainingSpec.of(
                    Optional.empty(), Runs.crossEntropy(), TrainingArguments.defaults()))
        .withMessageContaining("LINEAR or MLP")
        .extracting(GraftException::reason)
        .isEqualTo("NOTHING_TO_TRAIN");
  }

  private static TrainingSpec spec(TrainingArgumentsBuilder arguments) {
    return new TrainingSpec(ProjectorSpec.linear(0), Runs.crossEntropy(), arguments.build());
  }

  private static void refused(
      String reason, TrainingSpec spec, FeatureDataset train, FeatureDataset eval) {
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> Runs.prepare(spec, train, eval, new byte[0]))
        .extracting(GraftException::reason)
        .isEqualTo(reason);
  }

  private static void invalid(
      String field, ProjectorSpec projector, TrainingArgumentsBuilder arguments) {
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> new TrainingSpec(projector, Runs.crossEntropy(), arguments.build()))
        .extracting(e -> e.metadata().get("field"))
        .isEqualTo(field);
  }
}

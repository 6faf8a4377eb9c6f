package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.graft.server.GraftException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that goes on from any of its checkpoints ends with the same bytes. */
class ResumeTest {
  private static final FeatureDataset TRAIN = Runs.dataset(Runs.crossEntropy(), 29, 0, 1);
  private static final FeatureDataset EVAL = Runs.dataset(Runs.crossEntropy(), 11, 0, 2);

  static Stream<TrainingSpec> specs() {
    ProjectorSpec dropout = Runs.mlp(Activation.GELU, true, 0.3);
    TrainingArgumentsBuilder steps =
        TrainingArguments.builder()
            .learningRate(0.02)
            .perDeviceTrainBatchSize(4)
            .gradientAccumulationSteps(3)
            .numTrainEpochs(2.5)
            .loggingSteps(4)
            .evalStrategy(IntervalStrategy.STEPS)
            .evalSteps(2)
            .saveSteps(5)
            .warmupSteps(2)
            .weightDecay(0.1)
            .loadBestModelAtEnd(true);
    TrainingArgumentsBuilder epochs =
        TrainingArguments.builder()
            .optim(Optimizer.SGD)
            .momentum(0.9)
            .learningRate(0.5)
            .perDeviceTrainBatchSize(8)
            .numTrainEpochs(9)
            .loggingStrategy(IntervalStrategy.EPOCH)
            .evalStrategy(IntervalStrategy.EPOCH)
            .saveStrategy(IntervalStrategy.EPOCH)
            .metricForBestModel("accuracy")
            .loadBestModelAtEnd(true)
            .earlyStoppingPatience(2);
    return Stream.of(
        new TrainingSpec(dropout, Runs.crossEntropy(), steps.build()),
        new TrainingSpec(ProjectorSpec.linear(0), Runs.crossEntropy(), epochs.build()));
  }

  @ParameterizedTest
  @MethodSource("specs")
  void endsWithTheSameBytes(TrainingSpec spec) {
    RecordingListener whole = Runs.finish(spec, TRAIN, EVAL, new byte[0]);
    List<byte[]> checkpoints = Runs.allCheckpoints(spec, TRAIN, EVAL);
    assertThat(checkpoints).hasSizeGreaterThan(7);
    for (byte[] checkpoint : checkpoints) {
      RecordingListener rest = Runs.finish(spec, TRAIN, EVAL, checkpoint);
      long from = rest.started.firstStep();
      assertThat(rest.result.projectorFile()).isEqualTo(whole.result.projectorFile());
      assertThat(rest.result).usingRecursiveComparison().isEqualTo(whole.result);
      assertThat(whole.log).endsWith(rest.log.toArray(LogEntry[]::new));
      assertThat(whole.evaluations).endsWith(rest.evaluations.toArray(Evaluation[]::new));
      assertThat(rest.log.size())
          .isEqualTo(whole.log.stream().filter(entry -> entry.step() > from).count());
      rest.checkpoints.forEach(
          (step, file) -> assertThat(file).isEqualTo(whole.checkpoints.get(step)));
    }
  }

  @Test
  void refusesCheckpointsOfOtherJobs() {
    TrainingSpec spec = specs().findFirst().orElseThrow();
    byte[] checkpoint = Runs.allCheckpoints(spec, TRAIN, EVAL).get(2);
    TrainingSpec other =
        new TrainingSpec(
            spec.projector(), spec.objective(), TrainingArguments.builder().seed(7).build());
    refused(other, TRAIN, checkpoint);
    refused(spec, Runs.dataset(Runs.crossEntropy(), 29, 0, 3), checkpoint);
    refused(spec, TRAIN, new byte[] {1, 2, 3});
    refused(spec, TRAIN, ProjectorWeights.write(projector(spec), initial(spec)));
    byte[] truncated = java.util.Arrays.copyOf(checkpoint, checkpoint.length - 1);
    refused(spec, TRAIN, truncated);
  }

  private static Projector projector(TrainingSpec spec) {
    return new Projector(spec.resolved(Runs.FEATURES, 0).projector(), Runs.FEATURES);
  }

  private static java.util.Map<String, float[]> initial(TrainingSpec spec) {
    return ProjectorWeights.initial(projector(spec), 1);
  }

  private static void refused(TrainingSpec spec, FeatureDataset train, byte[] checkpoint) {
    FeatureDataset eval =
        spec.arguments().evalStrategy() == IntervalStrategy.NO ? FeatureDataset.empty() : EVAL;
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> Runs.prepare(spec, train, eval, checkpoint))
        .extracting(GraftException::reason)
        .isEqualTo("WRONG_CHECKPOINT");
  }
}

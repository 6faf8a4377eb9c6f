package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.torch.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every recorded run of the transformers Trainer, made again. */
class TrainerEqualityTest {
  private static final double TOLERANCE = 1e-5;

  static List<String> fixtures() {
    return TrainerFixture.NAMES;
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void equalsTheTrainer(String name) {
    TrainerFixture fixture = TrainerFixture.named(name);
    RecordingListener heard = new RecordingListener();
    try (TrainingRun run =
        TrainingRun.prepare(
            TestDevice.DEVICE,
            fixture.spec(),
            fixture.train(),
            fixture.eval(),
            Optional.of(fixture.initialProjector()),
            Optional.empty())) {
      while (run.step(heard)) {}
    }
    JsonNode record = fixture.record();
    assertThat(heard.log).hasSize(record.get("log").size());
    for (int i = 0; i < heard.log.size(); i++) {
      equalLog(heard.log.get(i), record.get("log").get(i));
    }
    assertThat(heard.evaluations).hasSize(record.get("evaluations").size());
    for (int i = 0; i < heard.evaluations.size(); i++) {
      equalEvaluation(heard.evaluations.get(i), record.get("evaluations").get(i));
    }
    List<Long> saves = new ArrayList<>();
    record.get("saves").forEach(step -> saves.add(step.asLong()));
    assertThat(heard.checkpoints.keySet()).containsExactlyElementsOf(saves);
    equalResult(heard, record.get("result"));
    equalWeights(heard.result.projectorFile(), fixture.finalWeights());
  }

  private static void equalLog(LogEntry ours, JsonNode theirs) {
    assertThat(ours.step()).isEqualTo(theirs.get("step").asLong());
    close("epoch", ours.epoch(), theirs.get("epoch"));
    close("loss", ours.loss(), theirs.get("loss"));
    close("grad_norm", ours.gradNorm(), theirs.get("grad_norm"));
    close("learning_rate", ours.learningRate(), theirs.get("learning_rate"));
  }

  private static void equalEvaluation(Evaluation ours, JsonNode theirs) {
    assertThat(ours.step()).isEqualTo(theirs.get("step").asLong());
    close("epoch", ours.epoch(), theirs.get("epoch"));
    assertThat(theirs.size()).isEqualTo(ours.metrics().size() + 2);
    ours.metrics().forEach((metric, value) -> close(metric, value, theirs.get(metric)));
  }

  private static void equalResult(RecordingListener heard, JsonNode theirs) {
    TrainingResult ours = heard.result;
    assertThat(ours.step()).isEqualTo(theirs.get("step").asLong());
    close("epoch", ours.epoch(), theirs.get("epoch"));
    close("train_loss", ours.trainLoss(), theirs.get("train_loss"));
    assertThat(heard.started.totalSteps()).isEqualTo(theirs.get("total_steps").asLong());
    assertThat(ours.bestStep()).isEqualTo(theirs.get("best_step").asLong());
    assertThat(ours.stopReason())
        .isEqualTo(ours.step() < heard.started.totalSteps() ? "early_stopping" : "");
  }

  private static void close(String what, double ours, JsonNode theirs) {
    double expected = theirs.asDouble();
    assertThat(ours).as(what).isCloseTo(expected, within(Math.abs(expected) * TOLERANCE));
  }

  private static void equalWeights(byte[] file, Map<String, TensorData> expected) {
    Map<String, TensorData> ours = ProjectorWeights.parse(file).tensors();
    assertThat(ours.keySet()).containsExactlyInAnyOrderElementsOf(expected.keySet());
    expected.forEach(
        (name, tensor) -> {
          assertThat(ours.get(name).shape()).isEqualTo(tensor.shape());
          assertThat(relativeError(ours.get(name).toFloats(), tensor.toFloats()))
              .as(name)
              .isLessThan(TOLERANCE);
        });
  }

  /** Largest difference, relative to the largest value. */
  static double relativeError(float[] ours, float[] theirs) {
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < theirs.length; i++) {
      largest = Math.max(largest, Math.abs(theirs[i]));
      difference = Math.max(difference, Math.abs((double) ours[i] - theirs[i]));
    }
    return difference / largest;
  }
}

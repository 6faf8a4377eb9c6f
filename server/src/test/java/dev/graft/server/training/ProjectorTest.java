package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.torch.TestDevice;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProjectorTest {
  private static final ProjectorSpec DEEP =
      new ProjectorSpec(ProjectorSpec.Kind.MLP, List.of(7, 5), Activation.GELU, 0.1, true, 3, true);

  @Test
  void namesAreThoseOfSequential() {
    assertThat(new Projector(DEEP, 4).parameters())
        .extracting(ParameterInfo::name)
        .containsExactlyInAnyOrder(
            "0.weight",
            "0.bias",
            "1.weight",
            "1.bias", // Linear, LayerNorm, GELU, Dropout
            "4.weight",
            "4.bias",
            "5.weight",
            "5.bias",
            "8.weight",
            "8.bias");
    assertThat(new Projector(ProjectorSpec.linear(2), 4).parameters())
        .containsExactly(
            new ParameterInfo("weight", List.of(2L, 4L)), new ParameterInfo("bias", List.of(2L)));
  }

  @Test
  void sizesFollowFromTheData() {
    ProjectorSpec mlp =
        new ProjectorSpec(ProjectorSpec.Kind.MLP, List.of(), Activation.RELU, 0, false, 0, false);
    TrainingSpec spec =
        new TrainingSpec(mlp, new Objective.MeanSquaredError(), TrainingArguments.defaults());
    assertThat(spec.resolved(9, 4).knownParameters(9))
        .containsExactly(
            new ParameterInfo("0.weight", List.of(9L, 9L)),
            new ParameterInfo("2.weight", List.of(4L, 9L)));
  }

  /** Uniform within 1/sqrt(inputs): mean 0, variance bound^2 / 3. */
  @Test
  void startsAsTorchDoes() {
    Projector projector = new Projector(ProjectorSpec.linear(200), 400);
    Map<String, float[]> weights = ProjectorWeights.initial(projector, 42);
    double bound = 1 / 20.0;
    for (float[] values : weights.values()) {
      double sum = 0;
      double squares = 0;
      for (float value : values) {
        assertThat(Math.abs(value)).isLessThanOrEqualTo((float) bound);
        sum += value;
        squares += (double) value * value;
      }
      assertThat(Math.abs(sum / values.length)).isLessThan(3 * bound / Math.sqrt(values.length));
      assertThat(squares / values.length / (bound * bound / 3)).isBetween(0.75, 1.25);
    }
    assertThat(ProjectorWeights.initial(projector, 42).get("weight"))
        .isEqualTo(weights.get("weight"));
    assertThat(ProjectorWeights.initial(projector, 43).get("weight"))
        .isNotEqualTo(weights.get("weight"));
    Map<String, float[]> deep = ProjectorWeights.initial(new Projector(DEEP, 4), 1);
    assertThat(deep.get("1.weight")).containsOnly(1);
    assertThat(deep.get("1.bias")).containsOnly(0);
  }

  @Test
  void sizesAreReadFromAFile() {
    Projector projector = new Projector(DEEP, 4);
    byte[] file = ProjectorWeights.write(projector, ProjectorWeights.initial(projector, 1));
    ProjectorSpec unsized =
        new ProjectorSpec(
            ProjectorSpec.Kind.MLP, List.of(7, 5), Activation.GELU, 0.1, true, 0, true);
    try (TrainedProjector trained = TrainedProjector.load(TestDevice.DEVICE, unsized, file)) {
      assertThat(trained.inputSize()).isEqualTo(4);
      assertThat(trained.outputSize()).isEqualTo(3);
      assertThat(trained.project(new float[8])).hasSize(6);
    }
  }

  @Test
  void refusesOtherWeights() {
    Projector projector = new Projector(DEEP, 4);
    Map<String, TensorData> right = new LinkedHashMap<>();
    ProjectorWeights.tensors(projector, "", ProjectorWeights.initial(projector, 1))
        .forEach(tensor -> right.put(tensor.name(), tensor));
    refused(projector, right, "4.weight", TensorData.floats("4.weight", new float[36], 6, 6));
    refused(projector, right, "0.bias", TensorData.floats("0.bias", nan(7), 7));
    refused(projector, right, "9.weight", TensorData.floats("9.weight", new float[1], 1));
    right.remove("8.bias");
    refused(projector, right, "8.bias", right.get("0.bias"));
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> ProjectorWeights.read(projector, new byte[20]))
        .extracting(GraftException::reason)
        .isEqualTo("WRONG_WEIGHTS");
  }

  private static float[] nan(int size) {
    float[] values = new float[size];
    values[1] = Float.NaN;
    return values;
  }

  private static void refused(
      Projector projector, Map<String, TensorData> right, String named, TensorData changed) {
    Map<String, TensorData> tensors = new LinkedHashMap<>(right);
    tensors.put(changed.name(), changed);
    byte[] file = SafetensorsWriter.toBytes(new ArrayList<>(tensors.values()), Map.of());
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> ProjectorWeights.read(projector, file))
        .satisfies(
            e -> {
              assertThat(e.reason()).isEqualTo("WRONG_WEIGHTS");
              assertThat(e.metadata()).containsEntry("tensor", named);
            });
  }
}

package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TestDevice;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The written-out gradients against finite differences, for each objective and projector. */
class GradientTest {
  private static final int OUTPUTS = 4;
  private static final long[] BOUNDS = {0, 5, 8};

  /** Each objective with the plainest projector, each projector with the plainest objective. */
  static Stream<Arguments> cases() {
    List<Objective> objectives =
        List.of(
            new Objective.CrossEntropy(3, List.of()),
            new Objective.CrossEntropy(3, List.of(0.5f, 2f, 1f)),
            new Objective.BinaryCrossEntropy(4, List.of(1f, 2f, 0.5f, 3f)),
            new Objective.MeanSquaredError(),
            new Objective.CosineEmbedding(-0.1),
            new Objective.InfoNce(0.3, false),
            new Objective.InfoNce(0.3, true));
    List<ProjectorSpec> projectors =
        List.of(
            Runs.mlp(Activation.GELU, true, 0.4),
            Runs.mlp(Activation.SILU, false, 0),
            Runs.mlp(Activation.TANH, true, 0));
    Objective pairs = new Objective.InfoNce(0.3, false);
    return Stream.of(
            objectives.stream().map(o -> Arguments.of(o, ProjectorSpec.linear(0))),
            projectors.stream().map(p -> Arguments.of(objectives.get(0), p)),
            Stream.of(Arguments.of(pairs, projectors.get(0))))
        .flatMap(cases -> cases);
  }

  /**
   * Along a random direction d: (L(w + hd) - L(w - hd)) / 2h = gradient . d, extrapolated from two
   * widths.
   */
  @ParameterizedTest
  @MethodSource("cases")
  void equalsFiniteDifferences(Objective objective, ProjectorSpec projectorSpec) {
    double smoothing =
        objective instanceof Objective.CrossEntropy crossEntropy
                && !crossEntropy.classWeights().isEmpty()
            ? 0.2
            : 0;
    FeatureDataset data = Runs.dataset(objective, 8, OUTPUTS, 5);
    TrainingSpec spec =
        new TrainingSpec(
                projectorSpec,
                objective,
                TrainingArguments.builder().labelSmoothingFactor(smoothing).build())
            .resolved(data.size(), data.vectorSize());
    Projector projector = new Projector(spec.projector(), data.size());
    Map<String, float[]> weights = ProjectorWeights.initial(projector, 3);
    List<float[]> at = lossAndGradients(spec, projector, data, weights);
    Random random = new Random(11);
    for (ParameterInfo parameter : projector.parameters()) {
      float[] direction = Runs.floats((int) parameter.count(), random);
      float[] gradient = at.get(1 + projector.parameters().indexOf(parameter));
      double expected = 0;
      for (int i = 0; i < direction.length; i++) {
        expected += (double) gradient[i] * direction[i];
      }
      double wide = slope(spec, projector, data, weights, parameter.name(), direction, 8e-3);
      double narrow = slope(spec, projector, data, weights, parameter.name(), direction, 4e-3);
      double norm = 0;
      for (float value : gradient) {
        norm += (double) value * value;
      }
      assertThat((4 * narrow - wide) / 3)
          .as(parameter.name())
          .isCloseTo(expected, within(1e-3 * Math.sqrt(norm) + 2e-4));
    }
  }

  private static double slope(
      TrainingSpec spec,
      Projector projector,
      FeatureDataset data,
      Map<String, float[]> weights,
      String name,
      float[] direction,
      double h) {
    double up = loss(spec, projector, data, moved(weights, name, direction, h));
    double down = loss(spec, projector, data, moved(weights, name, direction, -h));
    return (up - down) / (2 * h);
  }

  private static double loss(
      TrainingSpec spec, Projector projector, FeatureDataset data, Map<String, float[]> weights) {
    return lossAndGradients(spec, projector, data, weights).get(0)[0];
  }

  private static List<float[]> lossAndGradients(
      TrainingSpec spec, Projector projector, FeatureDataset data, Map<String, float[]> weights) {
    try (ProjectorTrainer trainer =
            new ProjectorTrainer(
                TestDevice.DEVICE,
                spec,
                projector,
                weights,
                TrainingCheckpoint.initial(Optimizer.ADAMW_TORCH, weights).optimizerState(),
                data,
                FeatureDataset.empty());
        Scope scope = Scope.open(TestDevice.DEVICE)) {
      Tensor order = trainer.order(scope, new long[] {3, 1, 4, 0, 5, 2, 6, 7});
      return trainer.gradients(order, BOUNDS, 0, 0);
    }
  }

  private static Map<String, float[]> moved(
      Map<String, float[]> weights, String name, float[] direction, double step) {
    Map<String, float[]> moved = new LinkedHashMap<>(weights);
    float[] values = weights.get(name).clone();
    for (int i = 0; i < values.length; i++) {
      values[i] += (float) (direction[i] * step);
    }
    moved.put(name, values);
    return moved;
  }
}

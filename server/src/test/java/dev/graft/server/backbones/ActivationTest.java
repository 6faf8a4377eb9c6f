package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TestDevice;
import dev.graft.server.torch.Weights;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Activations equal those of transformers, alone and fused into a product. */
class ActivationTest {
  private static final Golden GOLDEN = Golden.of("", "activations.safetensors");

  static Stream<Arguments> namesAndTexts() {
    return GOLDEN.tensors().keySet().stream()
        .filter(name -> !name.equals("x"))
        .flatMap(
            name ->
                Stream.of("linear_torch.py", "linear_onednn.py")
                    .map(text -> Arguments.of(name, text)));
  }

  @ParameterizedTest
  @MethodSource("namesAndTexts")
  void equalsTransformers(String name, String text) {
    ModelConfig config =
        ModelConfig.of(JsonNodeFactory.instance.objectNode().put("hidden_act", name));
    Activation activation = Activation.read(config, "hidden_act", "silu");
    float[] x = GOLDEN.floats("x");
    try (Scope scope = Scope.open(TestDevice.DEVICE);
        Program program =
            Program.assemble(
                TestDevice.DEVICE, ProgramText.of(Activation.class, text, activation.literals()))) {
      Weights one = Weights.of(scope, Map.of("one.weight", scope.floats(new float[] {1}, 1, 1)));
      Tensor y = program.call(scope, "linear_activated", scope.floats(x, x.length, 1), one, "one");
      assertThat(Golden.relativeError(List.of(y.toFloats()), List.of(GOLDEN.floats(name))))
          .isLessThanOrEqualTo(1e-6);
    }
  }
}

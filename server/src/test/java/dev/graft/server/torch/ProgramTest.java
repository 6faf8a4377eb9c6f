package dev.graft.server.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramTest {
  private static final String TEXT =
      """
        def twice(self: __torch__.Program, w: List[Dict[str, Tensor]], n: int, x: Tensor) -> Tensor:
          for i in range(n):
            x = torch.linear(x, w[i]["a"], annotate(Optional[Tensor], None))
          return x
        def square_gradient(self: __torch__.Program, x: Tensor, w: Dict[str, Tensor], p: List[Tensor]) -> List[Tensor]:
          x0 = torch.requires_grad_(torch.detach(x), True)
          y = torch.sum(x0 * x0 * w["a"] + p[0])
          g = torch.grad([y], [x0], annotate(Optional[List[Optional[Tensor]]], None), None, False, False)
          return [torch.detach(y), unchecked_cast(Tensor, g[0])]
      """;

  @Test
  void callsWithDictionariesAndScalars() {
    try (Scope scope = Scope.open(TestDevice.DEVICE);
        Program program = Program.assemble(TestDevice.DEVICE, TEXT)) {
      Weights weights =
          Weights.of(scope, Map.of("a", scope.floats(new float[] {2, 0, 0, 3}, 2, 2)));
      Tensor y =
          program.call(
              scope, "twice", List.of(weights, weights), 2, scope.floats(new float[] {1, 1}, 1, 2));
      assertThat(y.toFloats()).containsExactly(4, 9);
      assertThat(y.shape()).containsExactly(1, 2);
    }
  }

  @Test
  void gradientsWorkOnResultsOfPrograms() {
    try (Scope scope = Scope.open(TestDevice.DEVICE);
        Program program = Program.assemble(TestDevice.DEVICE, TEXT)) {
      Weights one = Weights.of(scope, Map.of("a", scope.floats(new float[] {1, 0, 0, 1}, 2, 2)));
      Tensor x =
          program.call(scope, "twice", List.of(one), 1, scope.floats(new float[] {3, 5}, 1, 2));
      Map<String, Tensor> inputs = new LinkedHashMap<>();
      inputs.put("x", x.copyForGradients(scope));
      inputs.put("w.a", scope.floats(new float[] {1, 2}, 2));
      inputs.put("p[]", scope.floats(new float[] {0, 7}, 2));
      List<Tensor> results =
          program.callWithGradients(scope, "square_gradient", List.copyOf(inputs.entrySet()));
      assertThat(results.get(0).toFloats()).containsExactly(66);
      assertThat(results.get(1).toFloats()).containsExactly(6, 20);
    }
  }

  @Test
  void mapsBfloat16Files(@TempDir Path directory) throws Exception {
    ByteBuffer raw = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 100; i++) {
      raw.putShort((short) (Float.floatToIntBits(i) >>> 16));
    }
    Path file = Files.write(directory.resolve("weights"), raw.array());
    Tensors tensors = Tensors.on(TestDevice.DEVICE);
    try (Scope scope = Scope.open(TestDevice.DEVICE)) {
      Tensor part = tensors.part(scope, tensors.map(scope, file, 100, DType.BF16), 10, 2, 3);
      Weights weights = Weights.of(scope, Map.of("part", part));
      assertThat(weights.tensors()).containsKey("part");
      assertThat(tensors.cast(scope, part.in(scope), DType.F32).toFloats())
          .containsExactly(10, 11, 12, 13, 14, 15);
    }
  }

  @Test
  void measuresEveryType() {
    Kernels kernels = Kernels.measure(TestDevice.DEVICE);
    assertThat(kernels.measured())
        .extracting(Kernels.Measured::dtype)
        .contains(ComputeDtype.FP32, ComputeDtype.BF16, ComputeDtype.FP16);
    // Quantized products are fbgemm's, which has a CPU alone.
    assertThat(kernels.measured().stream().anyMatch(m -> m.dtype() == ComputeDtype.INT8_DYNAMIC))
        .isNotEqualTo(TestDevice.DEVICE.isCuda());
    assertThat(kernels.measured()).allMatch(measured -> measured.gflops() > 0);
  }
}

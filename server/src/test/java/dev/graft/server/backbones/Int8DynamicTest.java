package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.TorchDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Linear layers in 8 bits: torch's own dynamic quantization, and near to 32 bits. */
class Int8DynamicTest {
  private static final Kernels KERNELS =
      new Kernels(
          List.of(
              new Kernels.Measured(ComputeDtype.FP32, Kernel.MKL, 1),
              new Kernels.Measured(ComputeDtype.INT8_DYNAMIC, Kernel.FBGEMM, 1)));

  static List<String> models() {
    return Golden.models("golden");
  }

  @BeforeAll
  static void onlyOnX86() {
    Assumptions.assumeTrue(
        Kernels.measure(TorchDevice.CPU).measured().stream()
            .anyMatch(measured -> measured.dtype() == ComputeDtype.INT8_DYNAMIC));
  }

  @ParameterizedTest
  @ValueSource(strings = {"golden/bert", "golden/llama_gqa"})
  void equalsTorchsDynamicQuantization(String model) {
    Golden golden = Golden.of(model, "int8_dynamic.safetensors");
    long[] shape = golden.tensors().get("input_ids").shape();
    int rows = (int) shape[0];
    int[] lengths = new int[rows];
    Arrays.fill(lengths, (int) shape[1]);
    TokenBatch batch = new TokenBatch(golden.longs("input_ids"), null, lengths, Rows.ALL);
    float[] expected = golden.floats("hidden_states.2");
    try (Backbone backbone = load(golden, Long.MAX_VALUE)) {
      List<float[]> actual = Features.of(backbone, batch, 2, ComputeDtype.INT8_DYNAMIC);
      int size = expected.length / rows;
      for (int row = 0; row < rows; row++) {
        float[] whole = Arrays.copyOfRange(expected, row * size, (row + 1) * size);
        assertThat(Golden.relativeError(List.of(actual.get(row)), List.of(whole)))
            .as("row %d", row)
            .isLessThanOrEqualTo(1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void isNearTo32Bits(String model) {
    Golden golden = Golden.of(model);
    TokenBatch batch = batch(golden);
    try (Backbone backbone = load(golden, Long.MAX_VALUE)) {
      int last = backbone.info().blocks();
      List<float[]> expected = Features.of(backbone, batch, last, ComputeDtype.FP32);
      List<float[]> actual = Features.of(backbone, batch, last, ComputeDtype.INT8_DYNAMIC);
      for (int row = 0; row < expected.size(); row++) {
        assertThat(cosine(actual.get(row), expected.get(row))).isGreaterThan(0.99);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void blocksOnDemandGiveTheSameBytes(String model) {
    Golden golden = Golden.of(model);
    TokenBatch batch = batch(golden);
    try (Backbone whole = load(golden, Long.MAX_VALUE);
        Backbone onDemand = load(golden, 1000)) {
      int last = whole.info().blocks();
      assertThat(Features.of(onDemand, batch, last, ComputeDtype.INT8_DYNAMIC))
          .usingRecursiveComparison()
          .isEqualTo(Features.of(whole, batch, last, ComputeDtype.INT8_DYNAMIC));
    }
  }

  private static double cosine(float[] a, float[] b) {
    double product = 0;
    double squareA = 0;
    double squareB = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      squareA += (double) a[i] * a[i];
      squareB += (double) b[i] * b[i];
    }
    return product / Math.sqrt(squareA * squareB);
  }

  private static TokenBatch batch(Golden golden) {
    return Golden.batch(golden.rows("right.input_ids", "right.attention_mask"));
  }

  private static Backbone load(Golden golden, long weightsMemoryBytes) {
    return Backbones.load(
        Checkpoint.open(golden.directory()), TorchDevice.CPU, KERNELS, weightsMemoryBytes);
  }
}

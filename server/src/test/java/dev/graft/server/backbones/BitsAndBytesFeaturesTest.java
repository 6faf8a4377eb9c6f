package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.TestDevice;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Features of checkpoints that bitsandbytes quantized are those of their decoded weights. */
class BitsAndBytesFeaturesTest {
  private static final String FOLDER = "dev/graft/server/quantizing/bnb/";
  private static final double TOLERANCE = 1e-5;

  static Stream<Arguments> modelsAndKernels() {
    return Stream.of(
            "bert_int8",
            "bert_odd_nf4_dq",
            "gpt2_int8",
            "gpt2_nf4_dq",
            "llama_h64_fp4",
            "llama_h64_int8_bf16",
            "llama_h64_nf4_storage_bf16",
            "llama_h72_fp4_dq",
            "llama_h72_nf4_dq",
            "llama_h72_nf4_dq_bf16",
            "llama_h72_nf4_dq_fp16",
            "llama_mha_nf4_skip",
            "qwen2_nf4_dq_bf16",
            "qwen3_fp4")
        .flatMap(
            model -> Stream.of(Kernel.MKL, Kernel.ONEDNN).map(each -> Arguments.of(model, each)));
  }

  @ParameterizedTest
  @MethodSource("modelsAndKernels")
  void hiddenStatesOfEveryLayer(String model, Kernel kernel) {
    Golden golden = Golden.of(FOLDER + model);
    try (Backbone backbone =
        Backbones.load(
            Checkpoint.open(golden.directory()),
            TestDevice.DEVICE,
            Features.only(kernel),
            Long.MAX_VALUE)) {
      TokenBatch batch = Golden.batch(golden.rows("right.input_ids", "right.attention_mask"));
      int last = backbone.info().blocks();
      for (int layer = 0; layer <= last; layer++) {
        String states = "fp32.right.hidden_states." + layer;
        String expected = golden.has(states) ? states : "fp32.right.last_hidden_state";
        assertThat(
                Golden.relativeError(
                    Features.of(backbone, batch, layer, ComputeDtype.FP32),
                    golden.features(expected, "right.attention_mask")))
            .as("layer %d", layer)
            .isLessThanOrEqualTo(TOLERANCE);
      }
    }
  }
}

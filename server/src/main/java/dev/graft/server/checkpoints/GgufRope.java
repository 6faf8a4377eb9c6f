package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * How rotary embeddings are stretched, from GGUF's keys. The type {@code llama3} has none: the
 * converter computes its factor of each frequency into a tensor, from which its settings are found
 * again by trying those that are published.
 */
final class GgufRope {
  /** Of every Llama 3.1, 3.2 and 3.3. */
  private static final int LLAMA3_ORIGINAL_CONTEXT = 8192;

  private static final double LLAMA3_LOW = 1;
  private static final double LLAMA3_HIGH = 4;
  private static final double TOLERANCE = 1e-5;

  private GgufRope() {}

  /** What {@code rope_scaling} would be. */
  static Optional<ObjectNode> scaling(GgufKeys keys, int headSize, int context) {
    GgufMetadata metadata = keys.metadata();
    if (keys.has("rope.scale_linear")) { // an older name
      keys.requireNumber("rope.scale_linear", 1, "use rope.scaling.type");
    }
    String type = metadata.optionalText(keys.key("rope.scaling.type")).orElse("none");
    GgufTensor factors = keys.gguf().tensors().get(GgufNames.FREQUENCY_FACTORS);
    if (factors != null) {
      if (!type.equals("none")) {
        throw metadata.unsupported(
            keys.key("rope.scaling.type"), "there is " + GgufNames.FREQUENCY_FACTORS + " as well");
      }
      return llama3(keys, factors, headSize);
    }
    return switch (type) {
      case "none" -> Optional.empty();
      case "linear" -> Optional.of(of("linear").put("factor", keys.number("rope.scaling.factor")));
      case "yarn" -> Optional.of(yarn(keys, context));
      default ->
          throw metadata.unsupported(
              keys.key("rope.scaling.type"), "the types are none, linear and yarn");
    };
  }

  private static ObjectNode yarn(GgufKeys keys, int context) {
    for (String key : new String[] {"attn_factor", "yarn_attn_factor"}) {
      keys.requireNumber("rope.scaling." + key, 1, "attention has the factor of yarn");
    }
    keys.requireNumber("rope.scaling.yarn_ext_factor", 1, "yarn extrapolates as published");
    if (keys.has("rope.scaling.yarn_log_multiplier")) {
      keys.requireNumber("rope.scaling.yarn_log_multiplier", 0, "mscale is not read from GGUF");
    }
    return of("yarn")
        .put("factor", keys.number("rope.scaling.factor"))
        .put("beta_fast", keys.number("rope.scaling.yarn_beta_fast", 32))
        .put("beta_slow", keys.number("rope.scaling.yarn_beta_slow", 1))
        .put(
            "original_max_position_embeddings",
            keys.size("rope.scaling.original_context_length", context));
  }

  private static Optional<ObjectNode> llama3(GgufKeys keys, GgufTensor tensor, int headSize) {
    if (tensor.type() != GgmlType.F32
        || tensor.shape().length != 1
        || tensor.shape()[0] != headSize / 2) {
      throw Corruption.of(
          keys.gguf().file(),
          GgufNames.FREQUENCY_FACTORS,
          "is no vector of %d values of type F32".formatted(headSize / 2));
    }
    FloatBuffer factors = tensor.entry().read().asFloatBuffer();
    double largest = 1;
    for (int i = 0; i < factors.limit(); i++) {
      largest = Math.max(largest, factors.get(i));
    }
    double theta = keys.number("rope.freq_base", 10_000);
    for (int i = 0; i < factors.limit(); i++) {
      double expected = llama3(Math.pow(theta, -2.0 * i / headSize), largest);
      if (!(Math.abs(factors.get(i) - expected) <= TOLERANCE * expected)) {
        throw keys.metadata()
            .unsupported(
                GgufNames.FREQUENCY_FACTORS,
                "factor %d is %s, which is not that of any Llama 3".formatted(i, factors.get(i)));
      }
    }
    return largest == 1
        ? Optional.empty()
        : Optional.of(
            of("llama3")
                .put("factor", largest)
                .put("low_freq_factor", LLAMA3_LOW)
                .put("high_freq_factor", LLAMA3_HIGH)
                .put("original_max_position_embeddings", LLAMA3_ORIGINAL_CONTEXT));
  }

  /** What the converter divides a frequency by. */
  private static double llama3(double frequency, double factor) {
    double turns = LLAMA3_ORIGINAL_CONTEXT * frequency / (2 * Math.PI);
    if (turns > LLAMA3_HIGH) {
      return 1;
    }
    if (turns < LLAMA3_LOW) {
      return factor;
    }
    double smooth = (turns - LLAMA3_LOW) / (LLAMA3_HIGH - LLAMA3_LOW);
    return 1 / ((1 - smooth) / factor + smooth);
  }

  private static ObjectNode of(String type) {
    return JsonNodeFactory.instance.objectNode().put("rope_type", type);
  }
}

package dev.graft.server.backbones;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Rotary position embeddings (Su et al., 2021) and how they are stretched to longer texts: {@code
 * default}, {@code linear}, {@code dynamic} (NTK), {@code llama3} and {@code yarn} (Peng et al.,
 * 2023), as transformers/modeling_rope_utils.py computes them. The frequencies themselves are
 * computed by the program, with the same operations, so that they are equal to the last bit.
 *
 * @param text the resource with the method {@code inverse_frequencies}
 * @param literals for its placeholders
 * @param attentionFactor what cosine and sine are multiplied with
 * @param maxTokens longest row that the model was made for
 */
record Rotary(String text, Map<String, Object> literals, double attentionFactor, int maxTokens) {
  private static final double DEFAULT_THETA = 10_000;

  Rotary {
    literals = Map.copyOf(literals);
  }

  /**
   * Reads {@code rope_parameters} (transformers 5), or {@code rope_scaling} and {@code rope_theta}
   * (before).
   */
  static Rotary read(ModelConfig config, int headSize, int maxPositions) {
    // Where both are given, rope_scaling wins, as in transformers.
    Optional<ModelConfig> given =
        config.object("rope_scaling").or(() -> config.object("rope_parameters"));
    ModelConfig options = given.orElse(config);
    given.ifPresent(Rotary::refuseNested);
    String type =
        given.map(rope -> rope.text("rope_type", rope.text("type", "default"))).orElse("default");
    for (ModelConfig holder : new ModelConfig[] {config, options}) {
      // transformers 5 overlooks it in these architectures, transformers 4 fails on it.
      if (holder.isSet("partial_rotary_factor") && holder.positive("partial_rotary_factor") != 1) {
        throw holder.unsupported(
            "partial_rotary_factor", "this architecture always rotates whole heads");
      }
    }
    double theta =
        options.has("rope_theta")
            ? options.positive("rope_theta")
            : config.positive("rope_theta", DEFAULT_THETA);
    Map<String, Object> literals = new LinkedHashMap<>();
    literals.put("rotary_size", headSize);
    literals.put("theta", theta);
    return switch (type) {
      case "default" -> new Rotary("rotary_default.py", literals, 1, maxPositions);
      case "linear" -> linear(options, literals, maxPositions);
      case "dynamic" -> dynamic(options, literals, headSize, maxPositions);
      case "llama3" -> llama3(config, options, literals, maxPositions);
      case "yarn" -> yarn(config, options, literals, theta, headSize, maxPositions);
      default ->
          throw options.unsupported(
              options.has("rope_type") ? "rope_type" : "type",
              "the types are default, linear, dynamic, llama3 and yarn");
    };
  }

  private static void refuseNested(ModelConfig rope) {
    for (String layerType : new String[] {"full_attention", "sliding_attention"}) {
      if (rope.isSet(layerType)) {
        throw rope.unsupported(layerType, "all blocks must have the same rotary embeddings");
      }
    }
  }

  private static Rotary linear(ModelConfig rope, Map<String, Object> literals, int maxPositions) {
    double factor = rope.positive("factor");
    literals.put("factor", factor);
    return new Rotary("rotary_linear.py", literals, 1, stretched(maxPositions, factor));
  }

  private static Rotary dynamic(
      ModelConfig rope, Map<String, Object> literals, int headSize, int maxPositions) {
    double factor = rope.positive("factor");
    if (headSize < 4) {
      throw rope.unsupported("factor", "dynamic scaling needs heads of at least 4 values");
    }
    literals.put("factor", factor);
    literals.put("factor_less_one", factor - 1);
    literals.put("max_positions", maxPositions);
    literals.put("exponent", (double) headSize / (headSize - 2));
    return new Rotary("rotary_dynamic.py", literals, 1, stretched(maxPositions, factor));
  }

  /** With these two types, {@code max_position_embeddings} is that before stretching. */
  private static int stretched(int maxPositions, double factor) {
    return (int) Math.min(ModelConfig.MAX_SIZE, Math.max(maxPositions, maxPositions * factor));
  }

  private static Rotary llama3(
      ModelConfig config, ModelConfig rope, Map<String, Object> literals, int maxPositions) {
    int original = originalMaxPositions(config, rope, maxPositions);
    double low = rope.positive("low_freq_factor");
    double high = rope.positive("high_freq_factor");
    if (low == high) {
      throw rope.invalid("high_freq_factor", "different from low_freq_factor");
    }
    literals.put("factor", rope.positive("factor"));
    literals.put("two_pi", 2 * Math.PI);
    literals.put("original_max_positions", original);
    literals.put("low_frequency_factor", low);
    literals.put("frequency_factor_range", high - low);
    literals.put("low_frequency_wavelength", original / low);
    literals.put("high_frequency_wavelength", original / high);
    return new Rotary("rotary_llama3.py", literals, 1, maxPositions);
  }

  private static Rotary yarn(
      ModelConfig config,
      ModelConfig rope,
      Map<String, Object> literals,
      double theta,
      int headSize,
      int maxPositions) {
    if (theta == 1) {
      throw rope.invalid("rope_theta", "a number other than 1");
    }
    int original = originalMaxPositions(config, rope, maxPositions);
    if (!rope.has("factor")) {
      throw rope.invalid("factor", "a finite number above 0");
    }
    double factor =
        rope.isSet("factor") ? rope.positive("factor") : (double) maxPositions / original;
    double fast = rope.optionalNumber("beta_fast").orElse(32);
    double slow = rope.optionalNumber("beta_slow").orElse(1);
    double low = correction(fast, headSize, theta, original);
    double high = correction(slow, headSize, theta, original);
    if (rope.flag("truncate", true)) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, headSize - 1.0);
    literals.put("factor", factor);
    literals.put("half_rotary_size", headSize / 2);
    literals.put("ramp_low", low);
    literals.put("ramp_range", low == high ? high + 0.001 - low : high - low);
    return new Rotary("rotary_yarn.py", literals, attentionFactor(rope, factor), maxPositions);
  }

  /** The dimension that turns so many times within the original text length. */
  private static double correction(double rotations, int headSize, double theta, int original) {
    return headSize * Math.log(original / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
  }

  private static double attentionFactor(ModelConfig rope, double factor) {
    if (rope.isSet("attention_factor")) {
      return rope.positive("attention_factor");
    }
    OptionalDouble mscale = rope.optionalNumber("mscale");
    OptionalDouble ofAll = rope.optionalNumber("mscale_all_dim");
    if (mscale.isPresent() && ofAll.isPresent()) {
      return scale(factor, mscale.getAsDouble()) / scale(factor, ofAll.getAsDouble());
    }
    return scale(factor, 1);
  }

  private static double scale(double factor, double mscale) {
    return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
  }

  private static int originalMaxPositions(ModelConfig config, ModelConfig rope, int maxPositions) {
    String key = "original_max_position_embeddings";
    return config.has(key) ? config.size(key, 0) : rope.size(key, maxPositions);
  }
}

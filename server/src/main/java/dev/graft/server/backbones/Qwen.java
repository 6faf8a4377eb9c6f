package dev.graft.server.backbones;

import java.util.ArrayList;
import java.util.List;

/**
 * Qwen2 (Yang et al., 2024; biases on queries, keys and values) and Qwen3 (2025; normalized queries
 * and keys instead). References: transformers/models/qwen2 and transformers/models/qwen3. Not read,
 * since it changes nothing here: dropout, {@code use_cache}.
 */
final class Qwen {
  private Qwen() {}

  static Architecture qwen2(ModelConfig config) {
    refuseCommonOptions(config);
    int heads = config.size("num_attention_heads", 32);
    int hiddenSize = config.size("hidden_size", 4096);
    int keyValueHeads = keyValueHeads(config, heads);
    int headSize = RotaryDecoder.headSize(config, hiddenSize, heads, keyValueHeads);
    return decoder(config, "qwen2", hiddenSize, heads, keyValueHeads, headSize, true, false, false);
  }

  static Architecture qwen3(ModelConfig config) {
    refuseCommonOptions(config);
    int heads = config.size("num_attention_heads", 32);
    int hiddenSize = config.size("hidden_size", 4096);
    int keyValueHeads = keyValueHeads(config, heads);
    int headSize =
        config.has("head_dim")
            ? RotaryDecoder.headSize(config, hiddenSize, heads, keyValueHeads)
            : 128;
    boolean bias = config.flag("attention_bias", false);
    return decoder(config, "qwen3", hiddenSize, heads, keyValueHeads, headSize, bias, bias, true);
  }

  private static void refuseCommonOptions(ModelConfig config) {
    RotaryDecoder.refuseCommonOptions(config);
    config.refuse("use_mrope", "positions of text alone have one axis");
  }

  private static int keyValueHeads(ModelConfig config, int heads) {
    return config.has("num_key_value_heads")
        ? config.optionalSize("num_key_value_heads").orElse(heads)
        : 32;
  }

  private static Architecture decoder(
      ModelConfig config,
      String modelType,
      int hiddenSize,
      int heads,
      int keyValueHeads,
      int headSize,
      boolean queryKeyValueBias,
      boolean outputBias,
      boolean queryKeyNorm) {
    int blocks = config.blocks("num_hidden_layers", 32);
    int window = window(config);
    return new RotaryDecoder(
            modelType,
            config.size("vocab_size", 151_936),
            config.flag("tie_word_embeddings", false),
            hiddenSize,
            config.size("intermediate_size", 22_016),
            blocks,
            heads,
            keyValueHeads,
            headSize,
            Activation.read(config, "hidden_act", "silu"),
            config.positive("rms_norm_eps", 1e-6),
            Rotary.read(config, headSize, config.size("max_position_embeddings", 32_768)),
            queryKeyValueBias,
            outputBias,
            false,
            queryKeyNorm,
            window,
            slides(config, blocks, window != RotaryDecoder.NO_WINDOW))
        .architecture();
  }

  /** The window counts only where {@code use_sliding_window} is on. */
  private static int window(ModelConfig config) {
    if (!config.flag("use_sliding_window", false)) {
      return RotaryDecoder.NO_WINDOW;
    }
    return config.has("sliding_window")
        ? config.optionalSize("sliding_window").orElse(RotaryDecoder.NO_WINDOW)
        : 4096;
  }

  /** {@code layer_types}; without them, blocks from {@code max_window_layers} on slide. */
  private static List<Boolean> slides(ModelConfig config, int blocks, boolean hasWindow) {
    int firstSliding = 28;
    if (config.has("max_window_layers")) {
      firstSliding = config.integer("max_window_layers", 0, ModelConfig.MAX_SIZE);
    }
    List<Boolean> slides = new ArrayList<>();
    List<String> types = config.texts("layer_types").orElse(null);
    if (types == null) {
      for (int block = 0; block < blocks; block++) {
        slides.add(hasWindow && block >= firstSliding);
      }
      return slides;
    }
    if (types.size() != blocks) {
      throw config.invalid("layer_types", "a list of num_hidden_layers = " + blocks + " texts");
    }
    for (String type : types) {
      boolean slide = type.equals("sliding_attention");
      if ((!slide && !type.equals("full_attention")) || (slide && !hasWindow)) {
        throw config.unsupported(
            "layer_types",
            slide
                ? "sliding_attention needs use_sliding_window and sliding_window"
                : "the types are full_attention and sliding_attention");
      }
      slides.add(slide);
    }
    return slides;
  }
}

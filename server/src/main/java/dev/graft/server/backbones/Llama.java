package dev.graft.server.backbones;

/**
 * Llama (Touvron et al., 2023) and what is built like it: SmolLM2, TinyLlama, Mistral. References:
 * transformers/models/llama and transformers/models/mistral. Not read, since it changes nothing
 * here: {@code pretraining_tp}, dropout, {@code use_cache}.
 */
final class Llama {
  private Llama() {}

  static Architecture llama(ModelConfig config) {
    RotaryDecoder.refuseCommonOptions(config);
    refuseOtherLayers(config, "full_attention");
    int blocks = config.blocks("num_hidden_layers", 32);
    int hiddenSize = config.size("hidden_size", 4096);
    int heads = config.size("num_attention_heads", 32);
    int keyValueHeads = config.optionalSize("num_key_value_heads").orElse(heads);
    int headSize = RotaryDecoder.headSize(config, hiddenSize, heads, keyValueHeads);
    boolean attentionBias = config.flag("attention_bias", false);
    return new RotaryDecoder(
            "llama",
            config.size("vocab_size", 32_000),
            config.flag("tie_word_embeddings", false),
            hiddenSize,
            config.size("intermediate_size", 11_008),
            blocks,
            heads,
            keyValueHeads,
            headSize,
            Activation.read(config, "hidden_act", "silu"),
            config.positive("rms_norm_eps", 1e-6),
            Rotary.read(config, headSize, config.size("max_position_embeddings", 2048)),
            attentionBias,
            attentionBias,
            config.flag("mlp_bias", false),
            false,
            RotaryDecoder.NO_WINDOW,
            RotaryDecoder.everyBlock(blocks, false))
        .architecture();
  }

  /** As Llama, without biases and with a sliding window over all blocks. */
  static Architecture mistral(ModelConfig config) {
    RotaryDecoder.refuseCommonOptions(config);
    int window =
        config.has("sliding_window")
            ? config.optionalSize("sliding_window").orElse(RotaryDecoder.NO_WINDOW)
            : 4096;
    boolean slides = window != RotaryDecoder.NO_WINDOW;
    refuseOtherLayers(config, slides ? "sliding_attention" : "full_attention");
    int blocks = config.blocks("num_hidden_layers", 32);
    int hiddenSize = config.size("hidden_size", 4096);
    int heads = config.size("num_attention_heads", 32);
    int keyValueHeads =
        config.has("num_key_value_heads")
            ? config.optionalSize("num_key_value_heads").orElse(heads)
            : 8;
    int headSize = RotaryDecoder.headSize(config, hiddenSize, heads, keyValueHeads);
    return new RotaryDecoder(
            "mistral",
            config.size("vocab_size", 32_000),
            config.flag("tie_word_embeddings", false),
            hiddenSize,
            config.size("intermediate_size", 14_336),
            blocks,
            heads,
            keyValueHeads,
            headSize,
            Activation.read(config, "hidden_act", "silu"),
            config.positive("rms_norm_eps", 1e-6),
            Rotary.read(config, headSize, config.size("max_position_embeddings", 131_072)),
            false,
            false,
            false,
            false,
            window,
            RotaryDecoder.everyBlock(blocks, slides))
        .architecture();
  }

  /** transformers overlooks {@code layer_types} here, so they must say what it does anyway. */
  private static void refuseOtherLayers(ModelConfig config, String only) {
    config
        .texts("layer_types")
        .filter(types -> types.stream().anyMatch(type -> !type.equals(only)))
        .ifPresent(
            types -> {
              throw config.unsupported(
                  "layer_types", "all blocks of this architecture have " + only);
            });
  }
}

package dev.graft.server.backbones;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * GPT-2 (Radford et al., 2019). Reference: transformers/models/gpt2. Its linear layers are stored
 * transposed ({@code Conv1D}). Not read, since it changes nothing here: dropout, {@code summary_*},
 * {@code use_cache}, and {@code reorder_and_upcast_attn}, which only computes the same scores in 32
 * bits, as attention here does anyway.
 */
final class Gpt2 {
  private Gpt2() {}

  static Architecture gpt2(ModelConfig config) {
    Architecture.refuseCommonOptions(config);
    if (!config.flag("is_causal", true)) {
      throw config.unsupported("is_causal", "attention of this architecture is always causal");
    }
    config.flag("reorder_and_upcast_attn", false);
    int hiddenSize = config.size(name(config, "n_embd", "hidden_size"), 768);
    int heads = config.size(name(config, "n_head", "num_attention_heads"), 12);
    int blocks = config.blocks(name(config, "n_layer", "num_hidden_layers"), 12);
    int positions = config.size(name(config, "n_positions", "max_position_embeddings"), 1024);
    int vocabularySize = config.size("vocab_size", 50_257);
    int headSize = RotaryDecoder.wholeHead(config, hiddenSize, heads);
    long inner = config.optionalSize("n_inner").orElse(4 * hiddenSize);
    return new Architecture(
        "gpt2",
        hiddenSize,
        blocks,
        vocabularySize,
        0,
        positions,
        true,
        true,
        List.of("transformer.", ""),
        "h.",
        List.of(
            embeddings(config, vocabularySize, hiddenSize),
            Parameter.table("wpe.weight", positions, hiddenSize),
            Parameter.of("ln_f.weight", hiddenSize),
            Parameter.of("ln_f.bias", hiddenSize)),
        blockParameters(hiddenSize, inner),
        List.of("gpt2.py"),
        Activation.read(config, "activation_function", "gelu_new"),
        Map.of(
            "hidden_size",
            hiddenSize,
            "norm_epsilon",
            config.positive("layer_norm_epsilon", 1e-5),
            "groups",
            1,
            "heads",
            heads,
            "head_size",
            headSize,
            "attention_scales",
            attentionScales(config, blocks, headSize)));
  }

  private static Parameter embeddings(ModelConfig config, int vocabularySize, int hiddenSize) {
    Parameter embeddings = Parameter.table("wte.weight", vocabularySize, hiddenSize);
    boolean tied = config.flag("tie_word_embeddings", true);
    return tied ? embeddings.or("lm_head.weight") : embeddings;
  }

  /** The configuration class knows both names of these options. */
  private static String name(ModelConfig config, String name, String otherName) {
    return config.has(name) ? name : otherName;
  }

  private static List<Parameter> blockParameters(long hiddenSize, long inner) {
    return List.of(
        Parameter.of("ln_1.weight", hiddenSize),
        Parameter.of("ln_1.bias", hiddenSize),
        Parameter.of("attn.c_attn.weight", 3 * hiddenSize, hiddenSize).asTurned(),
        Parameter.of("attn.c_attn.bias", 3 * hiddenSize),
        Parameter.of("attn.c_proj.weight", hiddenSize, hiddenSize).asTurned(),
        Parameter.of("attn.c_proj.bias", hiddenSize),
        Parameter.of("ln_2.weight", hiddenSize),
        Parameter.of("ln_2.bias", hiddenSize),
        Parameter.of("mlp.c_fc.weight", inner, hiddenSize).asTurned(),
        Parameter.of("mlp.c_fc.bias", inner),
        Parameter.of("mlp.c_proj.weight", hiddenSize, inner).asTurned(),
        Parameter.of("mlp.c_proj.bias", hiddenSize));
  }

  private static List<Double> attentionScales(ModelConfig config, int blocks, int headSize) {
    double scale = config.flag("scale_attn_weights", true) ? Math.pow(headSize, -0.5) : 1;
    boolean byBlock = config.flag("scale_attn_by_inverse_layer_idx", false);
    return IntStream.rangeClosed(1, blocks)
        .mapToObj(number -> byBlock ? scale / number : scale)
        .toList();
  }
}

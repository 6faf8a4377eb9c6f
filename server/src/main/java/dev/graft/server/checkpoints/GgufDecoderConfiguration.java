package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The configuration of Llama (and Mistral, SmolLM2, which are converted to it) and Qwen in GGUF.
 */
final class GgufDecoderConfiguration {
  private GgufDecoderConfiguration() {}

  static ObjectNode of(Gguf gguf, String architecture) {
    GgufKeys keys = new GgufKeys(gguf, architecture);
    refuse(keys);
    int hiddenSize = keys.size("embedding_length");
    int heads = keys.size("attention.head_count");
    int context = keys.size("context_length");
    int headSize = keys.size("attention.key_length", Math.max(1, hiddenSize / heads));
    if (keys.size("attention.value_length", headSize) != headSize) {
      throw gguf.metadata()
          .unsupported(keys.key("attention.value_length"), "it must be attention.key_length");
    }
    if (keys.size("rope.dimension_count", headSize) != headSize) {
      throw gguf.metadata()
          .unsupported(
              keys.key("rope.dimension_count"),
              "this architecture rotates whole heads, of " + headSize);
    }
    ObjectNode configuration =
        JsonNodeFactory.instance
            .objectNode()
            .put("model_type", architecture)
            .put("vocab_size", keys.rows("token_embd.weight"))
            .put("hidden_size", hiddenSize)
            .put("intermediate_size", keys.size("feed_forward_length"))
            .put("num_hidden_layers", keys.size("block_count"))
            .put("num_attention_heads", heads)
            .put("num_key_value_heads", keys.size("attention.head_count_kv", heads))
            .put("head_dim", headSize)
            .put("hidden_act", "silu")
            .put("rms_norm_eps", keys.number("attention.layer_norm_rms_epsilon"))
            .put("max_position_embeddings", context)
            .put("rope_theta", keys.number("rope.freq_base", 10_000))
            .put("tie_word_embeddings", !gguf.tensors().containsKey("output.weight"));
    GgufRope.scaling(keys, headSize, context)
        .ifPresent(scaling -> configuration.set("rope_scaling", scaling));
    return configuration;
  }

  /** Settings of models that llama.cpp builds from the same parts. */
  private static void refuse(GgufKeys keys) {
    keys.requireNumber("expert_count", 0, "mixtures of experts are not implemented");
    keys.requireNumber("embedding_scale", 1, "embeddings are not scaled");
    keys.requireNumber("residual_scale", 1, "residuals are not scaled");
    keys.requireNumber("attention.scale", 0, "attention has its usual scale");
    keys.requireNumber("attention.clamp_kqv", 0, "attention is not clamped");
    GgufMetadata metadata = keys.metadata();
    if (!metadata.flag(keys.key("attention.causal"), true)) {
      throw metadata.unsupported(keys.key("attention.causal"), "attention is always causal");
    }
    if (metadata.flag(keys.key("use_parallel_residual"), false)) {
      throw metadata.unsupported(
          keys.key("use_parallel_residual"), "attention and feed-forward part follow each other");
    }
    if (keys.has("attention.sliding_window")
        && keys.size("attention.sliding_window") < keys.size("context_length")) {
      throw metadata.unsupported(
          keys.key("attention.sliding_window"), "sliding windows are not read from GGUF");
    }
  }
}

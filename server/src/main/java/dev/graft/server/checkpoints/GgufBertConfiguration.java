package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The configuration of BERT in GGUF. RoBERTa is converted to the same: its position embeddings
 * begin with the first position that is used. The key {@code bert.pooling_type} is not read: which
 * pooling is right is the caller's to say.
 */
final class GgufBertConfiguration {
  private GgufBertConfiguration() {}

  static ObjectNode of(Gguf gguf) {
    GgufKeys keys = new GgufKeys(gguf, "bert");
    if (gguf.metadata().flag(keys.key("attention.causal"), false)) {
      throw gguf.metadata().unsupported(keys.key("attention.causal"), "only the encoder is read");
    }
    return JsonNodeFactory.instance
        .objectNode()
        .put("model_type", "bert")
        .put("vocab_size", keys.rows("token_embd.weight"))
        .put("hidden_size", keys.size("embedding_length"))
        .put("num_hidden_layers", keys.size("block_count"))
        .put("num_attention_heads", keys.size("attention.head_count"))
        .put("intermediate_size", keys.size("feed_forward_length"))
        .put("hidden_act", "gelu")
        .put("layer_norm_eps", keys.number("attention.layer_norm_epsilon"))
        .put("max_position_embeddings", keys.rows("position_embd.weight"))
        .put("type_vocab_size", keys.rows("token_types.weight"))
        .put("position_embedding_type", "absolute");
  }
}

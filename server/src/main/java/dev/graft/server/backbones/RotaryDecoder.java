package dev.graft.server.backbones;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What Llama, Mistral, Qwen2 and Qwen3 have in common: pre-norm blocks of causal attention with
 * rotary positions and a gated feed-forward part, without or with biases. Their program is {@code
 * rotary_decoder.py}.
 *
 * @param tiedEmbeddings whether the output embeddings are the same, so that a checkpoint may have
 *     only those
 * @param headSize values of a head, which need not be hiddenSize / heads
 * @param queryKeyNorm whether heads of queries and keys are normalized
 * @param window how many tokens a sliding block's token sees, itself included
 * @param slides for each block, whether it has the window
 */
record RotaryDecoder(
    String modelType,
    int vocabularySize,
    boolean tiedEmbeddings,
    int hiddenSize,
    int intermediateSize,
    int blocks,
    int heads,
    int keyValueHeads,
    int headSize,
    Activation activation,
    double normEpsilon,
    Rotary rotary,
    boolean queryKeyValueBias,
    boolean outputBias,
    boolean feedForwardBias,
    boolean queryKeyNorm,
    int window,
    List<Boolean> slides) {

  /** Longer than any row. */
  static final int NO_WINDOW = Integer.MAX_VALUE;

  /** The size of a head, and that heads can be shared out evenly. */
  static int headSize(ModelConfig config, int hiddenSize, int heads, int keyValueHeads) {
    if (heads % keyValueHeads != 0) {
      throw config.invalid("num_key_value_heads", "a divisor of num_attention_heads = " + heads);
    }
    int headSize =
        config.isSet("head_dim")
            ? config.size("head_dim", 0)
            : wholeHead(config, hiddenSize, heads);
    if (headSize % 2 != 0) {
      throw config.invalid(
          config.isSet("head_dim") ? "head_dim" : "num_attention_heads",
          "such that heads have an even size for rotary embeddings, not " + headSize);
    }
    return headSize;
  }

  static int wholeHead(ModelConfig config, int hiddenSize, int heads) {
    if (hiddenSize % heads != 0) {
      throw config.invalid("num_attention_heads", "a divisor of the hidden size " + hiddenSize);
    }
    return hiddenSize / heads;
  }

  static List<Boolean> everyBlock(int blocks, boolean slides) {
    return Collections.nCopies(blocks, slides);
  }

  /** {@code is_causal: false} makes transformers attend in both directions. */
  static void refuseCommonOptions(ModelConfig config) {
    Architecture.refuseCommonOptions(config);
    if (!config.flag("is_causal", true)) {
      throw config.unsupported("is_causal", "attention of this architecture is always causal");
    }
  }

  Architecture architecture() {
    return new Architecture(
        modelType,
        hiddenSize,
        blocks,
        vocabularySize,
        0,
        rotary.maxTokens(),
        false,
        true,
        List.of("model.", "", "transformer."),
        "layers.",
        List.of(embeddings(), Parameter.of("norm.weight", hiddenSize)),
        blockParameters(),
        List.of(rotary.text(), "rotary_decoder.py"),
        activation,
        literals());
  }

  private Parameter embeddings() {
    Parameter embeddings = Parameter.table("embed_tokens.weight", vocabularySize, hiddenSize);
    return tiedEmbeddings ? embeddings.or("lm_head.weight") : embeddings;
  }

  private List<Parameter> blockParameters() {
    long queries = (long) heads * headSize;
    long keys = (long) keyValueHeads * headSize;
    List<Parameter> parameters = new ArrayList<>();
    parameters.add(Parameter.of("input_layernorm.weight", hiddenSize));
    linear(parameters, "self_attn.q_proj", queries, hiddenSize, queryKeyValueBias);
    linear(parameters, "self_attn.k_proj", keys, hiddenSize, queryKeyValueBias);
    linear(parameters, "self_attn.v_proj", keys, hiddenSize, queryKeyValueBias);
    if (queryKeyNorm) {
      parameters.add(Parameter.of("self_attn.q_norm.weight", headSize));
      parameters.add(Parameter.of("self_attn.k_norm.weight", headSize));
    }
    linear(parameters, "self_attn.o_proj", hiddenSize, queries, outputBias);
    parameters.add(Parameter.of("post_attention_layernorm.weight", hiddenSize));
    linear(parameters, "mlp.gate_proj", intermediateSize, hiddenSize, feedForwardBias);
    linear(parameters, "mlp.up_proj", intermediateSize, hiddenSize, feedForwardBias);
    linear(parameters, "mlp.down_proj", hiddenSize, intermediateSize, feedForwardBias);
    return parameters;
  }

  private static void linear(
      List<Parameter> parameters, String name, long outputs, long inputs, boolean bias) {
    parameters.add(Parameter.of(name + ".weight", outputs, inputs));
    if (bias) {
      parameters.add(Parameter.of(name + ".bias", outputs));
    }
  }

  private Map<String, Object> literals() {
    Map<String, Object> literals = new LinkedHashMap<>(rotary.literals());
    literals.put("norm_epsilon", normEpsilon);
    literals.put("heads", heads);
    literals.put("groups", heads / keyValueHeads);
    literals.put("head_size", headSize);
    literals.put("half_head_size", headSize / 2);
    literals.put("attention_scale", Math.pow(headSize, -0.5));
    literals.put("attention_factor", rotary.attentionFactor());
    literals.put("window", window);
    literals.put("slides", slides.stream().map(slide -> slide ? "True" : "False").toList());
    return literals;
  }
}

package dev.graft.server.backbones;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.graft.server.GraftException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a GGUF file has to say of a model so that it is computed as its configuration says. Keys as
 * convert_hf_to_gguf.py of llama.cpp writes them. Immutable.
 */
public final class GgufDescription {
  /** Outside the backbone, which has nothing of them in GGUF. */
  private static final List<String> LEFT_OUT =
      List.of(
          "pooler.",
          "bert.pooler.",
          "cls.",
          "embeddings.position_ids",
          "bert.embeddings.position_ids");

  private final Architecture architecture;
  private final ModelConfig config;

  /** The architecture's name in GGUF. */
  private final String family;

  /**
   * A tensor of the backbone.
   *
   * @param name as transformers saves it
   * @param accepted all names that a source may have for it, in order of preference
   */
  public record Expected(String name, List<String> accepted) {}

  private GgufDescription(Architecture architecture, ModelConfig config, String family) {
    this.architecture = architecture;
    this.config = config;
    this.family = family;
  }

  /**
   * Reads a configuration.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_ARCHITECTURE for those that are not
   *     written, and those of a configuration that cannot be loaded
   */
  public static GgufDescription of(JsonNode configuration) {
    Architecture architecture = Backbones.architecture(configuration);
    String family =
        switch (architecture.modelType()) {
          case "llama", "mistral" -> "llama";
          case "qwen2", "qwen3", "bert" -> architecture.modelType();
          default ->
              throw GraftException.failedPrecondition(
                      "UNSUPPORTED_ARCHITECTURE",
                      "config.json: model_type \"%s\" is not written to GGUF; those that are: bert, llama, mistral, qwen2, qwen3. Choose another scheme"
                          .formatted(architecture.modelType()))
                  .with("model_type", architecture.modelType());
        };
    return new GgufDescription(architecture, ModelConfig.of(configuration), family);
  }

  /** The architecture's name in GGUF. */
  public String family() {
    return family;
  }

  public int vocabularySize() {
    return architecture.vocabularySize();
  }

  /** Heads of queries. */
  public int heads() {
    return isEncoder()
        ? (int) literal("heads")
        : (int) (rows("self_attn.q_proj.weight") / headSize());
  }

  /** Heads of keys. */
  public int keyValueHeads() {
    return isEncoder() ? heads() : (int) (rows("self_attn.k_proj.weight") / headSize());
  }

  /** Whether the output embeddings are the input's, and so have no tensor of their own. */
  public boolean tiedEmbeddings() {
    return isEncoder() || config.flag("tie_word_embeddings", false);
  }

  /** Whether a tensor is of a head that GGUF does not have, or is computed and not stored. */
  public boolean leavesOut(String name) {
    return LEFT_OUT.stream().anyMatch(name::startsWith)
        || name.endsWith("rotary_emb.inv_freq")
        || (name.equals("lm_head.weight") && tiedEmbeddings());
  }

  /** All tensors that the backbone needs. */
  public List<Expected> tensors() {
    List<Expected> tensors = new ArrayList<>();
    architecture.outside().forEach(parameter -> tensors.add(expected("", parameter)));
    for (int block = 0; block < architecture.blocks(); block++) {
      String within = architecture.blockPrefix() + block + ".";
      architecture.inBlock().forEach(parameter -> tensors.add(expected(within, parameter)));
    }
    return tensors;
  }

  private Expected expected(String within, Parameter parameter) {
    List<String> accepted = new ArrayList<>();
    for (String prefix : architecture.prefixes()) {
      accepted.add(prefix + within + parameter.name());
    }
    for (String other : parameter.otherNames()) {
      architecture.prefixes().forEach(prefix -> accepted.add(prefix + within + other));
      accepted.add(other); // a head's, without prefix
    }
    return new Expected((isEncoder() ? "" : "model.") + within + parameter.name(), accepted);
  }

  /** Sizes and settings by their keys, in the order of the file. */
  public Map<String, Object> keys() {
    Map<String, Object> keys = new LinkedHashMap<>();
    keys.put("general.architecture", family);
    keys.put("general.type", "model");
    put(keys, "block_count", architecture.blocks());
    put(keys, "context_length", contextLength());
    put(keys, "embedding_length", architecture.hiddenSize());
    put(
        keys,
        "feed_forward_length",
        (int) rows(isEncoder() ? "intermediate.dense.weight" : "mlp.up_proj.weight"));
    put(keys, "attention.head_count", heads());
    put(keys, "vocab_size", vocabularySize());
    float epsilon = (float) literal("norm_epsilon");
    if (isEncoder()) {
      put(keys, "attention.layer_norm_epsilon", epsilon);
      put(keys, "attention.causal", false);
      keys.put("tokenizer.ggml.token_type_count", architecture.tokenTypes());
      return keys;
    }
    put(keys, "attention.head_count_kv", keyValueHeads());
    put(keys, "attention.key_length", headSize());
    put(keys, "attention.value_length", headSize());
    put(keys, "attention.layer_norm_rms_epsilon", epsilon);
    put(keys, "rope.dimension_count", headSize());
    put(keys, "rope.freq_base", (float) literal("theta"));
    stretching(keys);
    return keys;
  }

  private void stretching(Map<String, Object> keys) {
    String type = ropeType();
    switch (type) {
      case "default" -> {}
      case "llama3" -> requireLlama3(); // a tensor
      case "linear" -> {
        put(keys, "rope.scaling.type", type);
        put(keys, "rope.scaling.factor", (float) literal("factor"));
      }
      case "yarn" -> {
        put(keys, "rope.scaling.type", type);
        put(keys, "rope.scaling.factor", (float) literal("factor"));
        put(keys, "rope.scaling.original_context_length", originalContext());
        putIfGiven(keys, "rope.scaling.yarn_beta_fast", rope().optionalNumber("beta_fast"));
        putIfGiven(keys, "rope.scaling.yarn_beta_slow", rope().optionalNumber("beta_slow"));
      }
      default -> throw rope().unsupported("rope_type", "GGUF has linear, yarn and that of Llama 3");
    }
  }

  /** GGUF has the factors alone, so that a reader has to know the settings that they come from. */
  private void requireLlama3() {
    ModelConfig rope = rope();
    if (rope.positive("low_freq_factor") != 1
        || rope.positive("high_freq_factor") != 4
        || originalContext() != 8192) {
      throw rope.unsupported(
          "rope_type",
          "GGUF has it as of Llama 3.1: low_freq_factor 1, high_freq_factor 4,"
              + " original_max_position_embeddings 8192");
    }
  }

  /**
   * What frequencies are divided by, which GGUF has as the tensor {@code rope_freqs.weight}; empty
   * where there is no such tensor. Reference: {@code generate_extra_tensors} of the converter.
   */
  public Optional<float[]> frequencyFactors() {
    if (isEncoder() || !ropeType().equals("llama3")) {
      return Optional.empty();
    }
    double low = rope().positive("low_freq_factor");
    double high = rope().positive("high_freq_factor");
    double factor = rope().positive("factor");
    float[] factors = new float[headSize() / 2];
    for (int i = 0; i < factors.length; i++) {
      double frequency = Math.pow(literal("theta"), -2.0 * i / headSize());
      double turns = originalContext() * frequency / (2 * Math.PI);
      double smooth = (turns - low) / (high - low);
      factors[i] =
          turns > high ? 1 : (float) (turns < low ? factor : 1 / ((1 - smooth) / factor + smooth));
    }
    return Optional.of(factors);
  }

  /**
   * Checks that a model that was read back is computed as this one.
   *
   * @param read its configuration
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION naming what differs
   */
  public void requireSame(JsonNode read) {
    ArchitectureComparison.requireSame(architecture, Backbones.architecture(read));
  }

  private boolean isEncoder() {
    return family.equals("bert");
  }

  private int contextLength() {
    return isEncoder()
        ? architecture.maxTokens()
        : config.size("max_position_embeddings", architecture.maxTokens());
  }

  private ModelConfig rope() {
    return config
        .object("rope_scaling")
        .or(() -> config.object("rope_parameters"))
        .orElse(ModelConfig.of(JsonNodeFactory.instance.objectNode()));
  }

  private String ropeType() {
    return rope().text("rope_type", rope().text("type", "default"));
  }

  private int originalContext() {
    String key = "original_max_position_embeddings";
    return config.has(key) ? config.size(key, 0) : rope().size(key, contextLength());
  }

  private int headSize() {
    return (int) literal("head_size");
  }

  private double literal(String name) {
    return ((Number) architecture.literals().get(name)).doubleValue();
  }

  private long rows(String parameter) {
    return architecture.inBlock().stream()
        .filter(each -> each.name().equals(parameter))
        .findFirst()
        .orElseThrow()
        .shape()
        .get(0);
  }

  private void put(Map<String, Object> keys, String key, Object value) {
    keys.put(family + "." + key, value);
  }

  private void putIfGiven(Map<String, Object> keys, String key, OptionalDouble value) {
    value.ifPresent(number -> put(keys, key, (float) number));
  }
}

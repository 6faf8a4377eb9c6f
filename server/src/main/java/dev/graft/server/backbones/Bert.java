package dev.graft.server.backbones;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * BERT (Devlin et al., 2018) and RoBERTa (Liu et al., 2019), which differs in how positions are
 * counted; MiniLM, BGE, E5, XLM-R and CamemBERT are built like them. References:
 * transformers/models/bert and transformers/models/roberta. Not read, since it changes nothing
 * here: dropout, {@code use_cache}, {@code chunk_size_feed_forward}, {@code tie_word_embeddings}.
 */
final class Bert {
  private Bert() {}

  static Architecture bert(ModelConfig config) {
    return encoder(config, "bert", 30_522, List.of("bert.", ""), false);
  }

  /** RoBERTa, XLM-R and CamemBERT: one architecture under three names. */
  static Architecture roberta(ModelConfig config, String modelType) {
    int vocabularySize = modelType.equals("roberta") ? 50_265 : 30_522;
    return encoder(config, modelType, vocabularySize, List.of("roberta.", ""), true);
  }

  private static Architecture encoder(
      ModelConfig config,
      String modelType,
      int defaultVocabularySize,
      List<String> prefixes,
      boolean positionsAfterPadding) {
    Architecture.refuseCommonOptions(config);
    config.refuse("is_decoder", "only the encoder is implemented");
    if (!config.text("position_embedding_type", "absolute").equals("absolute")) {
      throw config.unsupported(
          "position_embedding_type", "only absolute positions are implemented");
    }
    int hiddenSize = config.size("hidden_size", 768);
    int heads = config.size("num_attention_heads", 12);
    int headSize = RotaryDecoder.wholeHead(config, hiddenSize, heads);
    int vocabularySize = config.size("vocab_size", defaultVocabularySize);
    int positions = config.size("max_position_embeddings", 512);
    int tokenTypes = config.size("type_vocab_size", 2);
    int paddingIndex = positionsAfterPadding ? paddingIndex(config, positions) : -1;
    Map<String, Object> literals = new LinkedHashMap<>();
    literals.put("hidden_size", hiddenSize);
    literals.put("norm_epsilon", config.positive("layer_norm_eps", 1e-12));
    literals.put("groups", 1);
    literals.put("heads", heads);
    literals.put("head_size", headSize);
    literals.put("attention_scale", Math.pow(headSize, -0.5));
    literals.put("positions_after_padding", positionsAfterPadding);
    literals.put("padding_index", paddingIndex);
    return new Architecture(
        modelType,
        hiddenSize,
        config.blocks("num_hidden_layers", 12),
        vocabularySize,
        tokenTypes,
        positions - (paddingIndex + 1),
        true,
        false,
        prefixes,
        "encoder.layer.",
        List.of(
            Parameter.table("embeddings.word_embeddings.weight", vocabularySize, hiddenSize),
            Parameter.table("embeddings.position_embeddings.weight", positions, hiddenSize),
            Parameter.table("embeddings.token_type_embeddings.weight", tokenTypes, hiddenSize),
            normWeight("embeddings.LayerNorm", hiddenSize),
            normBias("embeddings.LayerNorm", hiddenSize)),
        blockParameters(hiddenSize, config.size("intermediate_size", 3072)),
        List.of("bert.py"),
        Activation.read(config, "hidden_act", "gelu"),
        literals);
  }

  /** The first token stands at this position + 1. */
  private static int paddingIndex(ModelConfig config, int positions) {
    return config.has("pad_token_id") ? config.integer("pad_token_id", 0, positions - 2) : 1;
  }

  private static List<Parameter> blockParameters(long hiddenSize, long intermediateSize) {
    return List.of(
        Parameter.of("attention.self.query.weight", hiddenSize, hiddenSize),
        Parameter.of("attention.self.query.bias", hiddenSize),
        Parameter.of("attention.self.key.weight", hiddenSize, hiddenSize),
        Parameter.of("attention.self.key.bias", hiddenSize),
        Parameter.of("attention.self.value.weight", hiddenSize, hiddenSize),
        Parameter.of("attention.self.value.bias", hiddenSize),
        Parameter.of("attention.output.dense.weight", hiddenSize, hiddenSize),
        Parameter.of("attention.output.dense.bias", hiddenSize),
        normWeight("attention.output.LayerNorm", hiddenSize),
        normBias("attention.output.LayerNorm", hiddenSize),
        Parameter.of("intermediate.dense.weight", intermediateSize, hiddenSize),
        Parameter.of("intermediate.dense.bias", intermediateSize),
        Parameter.of("output.dense.weight", hiddenSize, intermediateSize),
        Parameter.of("output.dense.bias", hiddenSize),
        normWeight("output.LayerNorm", hiddenSize),
        normBias("output.LayerNorm", hiddenSize));
  }

  /** Checkpoints converted from TensorFlow call them gamma and beta. */
  private static Parameter normWeight(String norm, long size) {
    return Parameter.of(norm + ".weight", size).or(norm + ".gamma");
  }

  private static Parameter normBias(String norm, long size) {
    return Parameter.of(norm + ".bias", size).or(norm + ".beta");
  }
}

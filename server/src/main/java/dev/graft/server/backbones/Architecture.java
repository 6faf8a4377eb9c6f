package dev.graft.server.backbones;

import dev.graft.server.quantizing.QuantizedWeights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that a configuration says: sizes, the tensors that are needed, and the program that computes
 * with them.
 *
 * @param modelType {@code model_type}
 * @param hiddenSize size of a hidden state
 * @param blocks number of blocks
 * @param vocabularySize token ids are below this
 * @param tokenTypes token type ids are below this; 0 where the architecture has none
 * @param maxTokens longest row that the model was made for
 * @param learnedPositions whether longer rows than {@code maxTokens} are impossible, not just
 *     unwise
 * @param causal whether a token sees only those before it
 * @param prefixes what checkpoints put before every name, in order of preference
 * @param blockPrefix what stands before the number of a block: {@code layers.}
 * @param outside tensors outside the blocks, of which the word embeddings are the first
 * @param inBlock tensors of one block, named within it
 * @param texts resources with its part of the program's methods, callees first; what all have in
 *     common comes before and after
 * @param activation activation of the feed-forward part
 * @param literals for the placeholders in the texts
 */
record Architecture(
    String modelType,
    int hiddenSize,
    int blocks,
    int vocabularySize,
    int tokenTypes,
    int maxTokens,
    boolean learnedPositions,
    boolean causal,
    List<String> prefixes,
    String blockPrefix,
    List<Parameter> outside,
    List<Parameter> inBlock,
    List<String> texts,
    Activation activation,
    Map<String, Object> literals) {
  Architecture {
    prefixes = List.copyOf(prefixes);
    outside = List.copyOf(outside);
    inBlock = List.copyOf(inBlock);
    texts = List.copyOf(texts);
    Map<String, Object> all = new LinkedHashMap<>(literals);
    all.putAll(activation.literals());
    literals = Map.copyOf(all);
  }

  /** Options of every architecture that change the output and are not implemented. */
  static void refuseCommonOptions(ModelConfig config) {
    QuantizedWeights.checkMethod(config.object());
    config.refuse("pruned_heads", "heads that were pruned away are not left out");
    config.refuse("per_layer_config", "all blocks must have the same sizes and options");
    config.refuse("is_encoder_decoder", "only the encoder or decoder alone can be a backbone");
    config.refuse("add_cross_attention", "cross-attention is not implemented");
    // With remote code, what transformers would compute is written there and not in the options.
    config
        .object("auto_map")
        .ifPresent(
            map -> {
              if (map.isSet("AutoModel")) {
                throw config.unsupported(
                    "auto_map",
                    "the checkpoint brings its own modeling code, which is never run; if the"
                        + " standard architecture is meant, remove auto_map");
              }
            });
  }
}

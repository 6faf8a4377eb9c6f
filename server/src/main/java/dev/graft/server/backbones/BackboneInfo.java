package dev.graft.server.backbones;

/**
 * What is known of a backbone.
 *
 * @param modelType {@code model_type} of its configuration
 * @param hiddenSize values of a hidden state
 * @param blocks number of transformer blocks
 * @param vocabularySize number of token ids
 * @param tokenTypes token type ids are below this; 0 where there are none
 * @param maxTokens longest sequence in tokens
 * @param causal whether a token sees only those before it
 * @param tensors number of tensors
 * @param parameters number of values in them
 * @param bytes size of them as stored
 * @param digest SHA-256 of configuration and tensors, lower-case hexadecimal
 */
public record BackboneInfo(
    String modelType,
    int hiddenSize,
    int blocks,
    int vocabularySize,
    int tokenTypes,
    int maxTokens,
    boolean causal,
    int tensors,
    long parameters,
    long bytes,
    String digest) {}

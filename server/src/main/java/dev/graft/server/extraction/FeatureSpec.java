package dev.graft.server.extraction;

import dev.graft.server.torch.ComputeDtype;

/**
 * How features are computed, with every default filled in.
 *
 * @param layer which hidden state, from 0 to the number of blocks
 * @param normalize divides each row by its L2 norm
 * @param maxTokens longest item in tokens, special ones included
 * @param rejectOverlength refuses longer items instead of cutting them
 */
public record FeatureSpec(
    Pooling pooling,
    int layer,
    boolean normalize,
    ComputeDtype computeDtype,
    int maxTokens,
    boolean rejectOverlength) {}

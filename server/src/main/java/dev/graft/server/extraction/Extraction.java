package dev.graft.server.extraction;

import dev.graft.server.torch.TorchDevice;

/**
 * What the feature streams of a worker share.
 *
 * @param lanes batches that are computed at the same time
 * @param tokensPerBatch most tokens of a batch
 */
public record Extraction(
    TorchDevice device, Pooler pooler, FeatureCache cache, int lanes, int tokensPerBatch) {}

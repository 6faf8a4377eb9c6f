package dev.graft.server.jobs;

import dev.graft.server.extraction.Extraction;
import dev.graft.server.extraction.FeatureCache;
import dev.graft.server.extraction.Pooler;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.training.FeatureMemory;
import java.util.List;
import java.util.stream.Stream;

/**
 * What all jobs of a worker share.
 *
 * @param defaultComputeDtype for callers who ask for none
 * @param tokensPerBatch most tokens of a batch
 * @param featureMemory what the features of all Train jobs may take
 */
public record WorkerResources(
    TorchDevice device,
    Kernels kernels,
    ComputeDtype defaultComputeDtype,
    Lanes lanes,
    BackboneStore backbones,
    Pooler pooler,
    FeatureCache cache,
    int tokensPerBatch,
    FeatureMemory featureMemory) {

  /** What their feature streams share. */
  Extraction extraction() {
    return new Extraction(device, pooler, cache, lanes.count(), tokensPerBatch);
  }

  /** Types that the device can compute in, the default first. */
  public List<ComputeDtype> computeDtypes() {
    return Stream.concat(
            Stream.of(defaultComputeDtype),
            kernels.measured().stream().map(Kernels.Measured::dtype))
        .distinct()
        .toList();
  }
}

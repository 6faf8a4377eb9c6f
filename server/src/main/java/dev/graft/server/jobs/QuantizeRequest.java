package dev.graft.server.jobs;

import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.torch.DType;
import java.util.List;
import java.util.Optional;

/**
 * What to quantize and how.
 *
 * @param source the backbone, as in the contract's {@code Backbone.path}
 * @param destination a directory to be made; empty means that the files are handed over
 * @param blockSize values that share a scale, for NF4 and FP4
 * @param doubleQuantization whether scales are quantized too
 * @param dataType F32, F16 or BF16, what the source is cast to first; empty means its own type
 * @param recordedComputeDtype recorded in the result as the type to compute in
 * @param skipModules modules that stay unquantized; empty means transformers' default
 * @param maxShardBytes most bytes of tensors in one file
 */
public record QuantizeRequest(
    String source,
    QuantizationScheme scheme,
    Optional<String> destination,
    int blockSize,
    boolean doubleQuantization,
    Optional<StoredType> dataType,
    Optional<DType> recordedComputeDtype,
    Optional<List<String>> skipModules,
    long maxShardBytes) {
  public QuantizeRequest {
    skipModules = skipModules.map(List::copyOf);
  }
}

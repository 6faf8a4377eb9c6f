package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import java.util.Optional;

/**
 * Weights as bitsandbytes (https://github.com/bitsandbytes-foundation/bitsandbytes) quantizes them
 * and transformers stores them. {@code config.json} says whether in 4 bits or in 8; a weight that
 * is stored as usual was left unquantized.
 */
public final class BitsAndBytes {
  private BitsAndBytes() {}

  /**
   * Looks a weight up.
   *
   * @param weightName its name if it were not quantized: {@code
   *     model.layers.0.self_attn.q_proj.weight}
   * @param shape [out, in] of its linear layer; so also for GPT-2, whose unquantized weights are
   *     [in, out]
   * @return empty if the checkpoint is not quantized by bitsandbytes, or this weight of it is not
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for a setting that is not read,
   *     MISSING_TENSOR or CORRUPT_CHECKPOINT naming the tensor
   */
  public static Optional<QuantizedWeight> find(
      Checkpoint checkpoint, String weightName, long[] shape) {
    Optional<BitsAndBytesBits> bits = BitsAndBytesBits.of(checkpoint);
    if (bits.isEmpty()) {
      return Optional.empty();
    }
    return switch (bits.get()) {
      case FOUR -> BitsAndBytes4Bit.find(checkpoint, weightName, shape);
      case EIGHT -> BitsAndBytesInt8.find(checkpoint, weightName, shape);
    };
  }
}

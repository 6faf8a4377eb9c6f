package dev.graft.server.quantizing;

import dev.graft.server.torch.DType;
import java.util.Optional;

/**
 * What bitsandbytes stores beside a weight of 4 bits as JSON in a tensor of bytes, but for the
 * weight's shape.
 *
 * @param blockSize number of consecutive values with one scale
 * @param dtype of the weight before it was quantized, to which decoded values are rounded
 * @param nested how the scales are themselves quantized, if they are
 */
record QuantState(FourBitType type, int blockSize, DType dtype, Optional<Nested> nested) {
  /**
   * Double quantization: a scale is {@code map[code] * absmax + offset}.
   *
   * @param blockSize number of consecutive scales with one absmax
   */
  record Nested(int blockSize, float offset) {}
}

package dev.graft.server.quantizing;

import dev.graft.server.torch.DType;
import java.util.Map;
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

  /** Types of weights, by their names in PyTorch. */
  private static final Map<String, DType> DTYPES =
      Map.of("float32", DType.F32, "float16", DType.F16, "bfloat16", DType.BF16);

  static Optional<DType> dtype(String torchName) {
    return Optional.ofNullable(DTYPES.get(torchName));
  }

  /**
   * A type's name in PyTorch.
   *
   * @throws IllegalArgumentException for a type that weights do not have
   */
  static String torchName(DType dtype) {
    return DTYPES.entrySet().stream()
        .filter(entry -> entry.getValue() == dtype)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("No weight is of type " + dtype));
  }
}

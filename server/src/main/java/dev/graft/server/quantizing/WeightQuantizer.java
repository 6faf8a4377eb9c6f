package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Encodes weights in a scheme. Safe to use from many threads. */
public interface WeightQuantizer {
  /** The values of a weight, once and in their order. */
  @FunctionalInterface
  interface Values {
    /** Reads the next values to the begin of the target. */
    void read(float[] target, int count) throws IOException;
  }

  /**
   * Encodes a weight.
   *
   * @param name {@code model.layers.0.mlp.up_proj.weight}
   * @param type of the weight: F32, F16 or BF16
   * @param shape [out, in], fewer than 2^31 values
   * @param values exact in the type
   * @return all that the scheme stores of it, under the names that it has in a checkpoint
   */
  List<TensorData> quantize(String name, StoredType type, long[] shape, Values values)
      throws IOException;

  /** Encodes a weight that is in memory. */
  default List<TensorData> quantize(String name, TensorData weight) {
    if (!weight.type().isFloat16OrWider() || weight.type() == StoredType.F64) {
      throw new IllegalArgumentException(weight + " is not F32, F16 or BF16");
    }
    ByteBuffer bytes = weight.bytes();
    try {
      return quantize(
          name,
          weight.type(),
          weight.shape(),
          (target, count) -> FloatValues.read(weight.type(), bytes, target, count));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
  }
}

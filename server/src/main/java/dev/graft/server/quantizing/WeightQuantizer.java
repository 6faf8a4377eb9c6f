package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import java.nio.ByteBuffer;
import java.util.List;

/** Encodes weights in a scheme. Safe to use from many threads. */
public interface WeightQuantizer {
  /**
   * Encodes a weight.
   *
   * @param name {@code model.layers.0.mlp.up_proj.weight}
   * @param weight [out, in], in F32, F16 or BF16
   * @return all that the scheme stores of it, under the names that it has in a checkpoint
   */
  List<TensorData> quantize(String name, TensorData weight);

  /** The bytes of a weight that can be encoded, to be read from the first on. */
  static ByteBuffer bytes(TensorData weight) {
    if (!weight.type().isFloat16OrWider() || weight.type() == StoredType.F64) {
      throw new IllegalArgumentException(weight + " is not F32, F16 or BF16");
    }
    return weight.bytes();
  }
}

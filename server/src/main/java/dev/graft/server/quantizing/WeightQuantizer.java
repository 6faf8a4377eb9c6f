package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.TensorData;
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
}

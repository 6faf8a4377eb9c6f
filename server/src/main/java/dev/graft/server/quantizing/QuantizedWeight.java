package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.List;

/** A weight that is stored quantized, found in a checkpoint and checked. Immutable. */
public interface QuantizedWeight {
  /** The weight's name without a scheme's suffixes: {@code model.layers.0.mlp.up_proj.weight}. */
  String name();

  /** Size of each dimension of what is decoded: [out, in] of a linear layer. */
  long[] shape();

  /** Everything that is stored of it, in the order of the scheme. */
  List<TensorEntry> entries();

  /**
   * Decodes it on the calling thread. The values are the reference implementation's in 32 bits,
   * then cast.
   *
   * @param files maps the entries
   * @param dtype F32, F16 or BF16
   * @return {@link #shape()} in {@code dtype}, owned by {@code scope} and sharing no memory with a
   *     file
   */
  Tensor decode(Scope scope, TensorFiles files, DType dtype);
}

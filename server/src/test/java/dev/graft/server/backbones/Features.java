package dev.graft.server.backbones;

import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TestDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Hidden states as plain arrays. */
final class Features {
  private static final Tensors TENSORS = Tensors.on(TestDevice.DEVICE);

  private Features() {}

  /** Every type with one kernel. */
  static Kernels only(Kernel kernel) {
    return new Kernels(
        Arrays.stream(ComputeDtype.values())
            .map(dtype -> new Kernels.Measured(dtype, TestDevice.kernel(kernel), 1))
            .toList());
  }

  /** The hidden states of each sequence's tokens that are asked for, one after the other. */
  static List<float[]> of(Backbone backbone, TokenBatch batch, int layer, ComputeDtype dtype) {
    try (Scope scope = Scope.open(TestDevice.DEVICE)) {
      Tensor states = backbone.hiddenStates(scope, batch, layer, dtype);
      float[] values = TENSORS.cast(scope, states, DType.F32).toFloats();
      int size = backbone.info().hiddenSize();
      List<float[]> rows = new ArrayList<>();
      int from = 0;
      for (int length : batch.lengths()) {
        int to = from + (batch.rows() == Rows.ALL ? length : 1) * size;
        rows.add(Arrays.copyOfRange(values, from, to));
        from = to;
      }
      return rows;
    }
  }
}

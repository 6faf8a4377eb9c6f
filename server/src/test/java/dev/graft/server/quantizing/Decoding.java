package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TestDevice;

/** Decoded weights as Java sees them. */
final class Decoding {
  private static final Tensors TENSORS = Tensors.on(TestDevice.DEVICE);

  private Decoding() {}

  /** The values of a weight decoded to a type, as 32-bit floats. */
  static float[] decode(QuantizedWeight weight, DType dtype) {
    try (Scope scope = Scope.open(TestDevice.DEVICE)) {
      TensorFiles files = new TensorFiles(scope, TENSORS);
      return TENSORS.cast(scope, weight.decode(scope, files, dtype), DType.F32).toFloats();
    }
  }

  static DType dtype(TensorData tensor) {
    return DType.valueOf(tensor.type().name());
  }

  /** Bits of floats, any NaN as one. */
  static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToIntBits(values[i]);
    }
    return bits;
  }
}

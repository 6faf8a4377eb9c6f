package dev.graft.server.jobs;

import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TorchDevice;
import java.io.IOException;

/** Opens tensors' values, whatever is stored of them. */
record SourceReader(TorchDevice device, Tensors tensors) {
  /** The values of a tensor of the source, in the order of its shape. */
  SourceValues open(PlannedTensor tensor) throws IOException {
    if (tensor.source() instanceof PlannedTensor.Stored stored) {
      return SourceValues.stored(stored.entry());
    }
    return decoded(((PlannedTensor.Decoded) tensor.source()).weight(), tensor.turned());
  }

  /**
   * The values of a quantized weight.
   *
   * @param turned whether they are wanted as [in, out]
   */
  SourceValues decoded(QuantizedWeight weight, boolean turned) {
    Scope scope = Scope.open(device);
    try {
      Tensor decoded = weight.decode(scope, new TensorFiles(scope, tensors), DType.F32);
      return new DecodedValues(
          scope, tensors, turned ? tensors.transposed(scope, decoded) : decoded);
    } catch (RuntimeException | Error e) { // whatever it is, the memory must go
      scope.close();
      throw e;
    }
  }
}

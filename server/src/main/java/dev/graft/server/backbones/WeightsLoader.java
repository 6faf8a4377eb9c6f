package dev.graft.server.backbones;

import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.torch.Weights;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Brings tensors onto the device in the type of a computation. On the CPU a tensor that is stored
 * as it is computed with is a view of its file; others are converted or decoded.
 */
record WeightsLoader(TorchDevice device, Tensors tensors, DType dtype) {
  /**
   * Loads tensors by the names that a program looks up.
   *
   * @param scope owns them, and the mappings of their files
   */
  Weights load(Scope scope, Map<String, Found> found) {
    return load(scope, found, new TensorFiles(scope, tensors));
  }

  /** The same with mappings that others share. */
  Weights load(Scope scope, Map<String, Found> found, TensorFiles files) {
    Map<String, Tensor> loaded = new LinkedHashMap<>();
    found.forEach((name, place) -> loaded.put(name, load(scope, place, files)));
    return Weights.of(scope, loaded);
  }

  private Tensor load(Scope scope, Found found, TensorFiles files) {
    if (found instanceof Found.Quantized quantized) {
      return quantized.weight().decode(scope, files, dtype);
    }
    Found.Plain plain = (Found.Plain) found;
    // What is converted lets its original go at once.
    try (Scope original = Scope.open(device)) {
      Tensor tensor = files.stored(original, plain.entry(), plain.dtype());
      if (plain.turned()) {
        tensor = tensors.transposed(original, tensor);
      }
      return plain.table() ? tensor.in(scope) : tensors.cast(scope, tensor, dtype);
    }
  }
}

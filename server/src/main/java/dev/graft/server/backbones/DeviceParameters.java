package dev.graft.server.backbones;

import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.torch.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A backbone's tensors on the device, in the type of a computation.
 *
 * @param scope owns them all
 * @param outside tensors outside the blocks
 * @param blocks tensors of each block
 */
record DeviceParameters(Scope scope, Weights outside, List<Weights> blocks)
    implements AutoCloseable {

  /**
   * Maps the files. On the CPU a tensor that is stored as it is computed with is a view of its
   * file; others are converted, once.
   */
  static DeviceParameters load(
      Parameters parameters, DType dtype, Tensors tensors, TorchDevice device) {
    Scope scope = Scope.open(device);
    try {
      Loader loader = new Loader(dtype, new TensorFiles(scope, tensors), scope);
      List<Weights> blocks = new ArrayList<>();
      for (Map<String, Found> block : parameters.blocks()) {
        blocks.add(loader.weights(block));
      }
      return new DeviceParameters(scope, loader.weights(parameters.outside()), blocks);
    } catch (Throwable e) { // whatever it is, what was loaded so far must not stay
      scope.close();
      throw e;
    }
  }

  @Override
  public void close() {
    scope.close();
  }

  private record Loader(DType dtype, TensorFiles files, Scope scope) {
    Weights weights(Map<String, Found> found) {
      Map<String, Tensor> loaded = new LinkedHashMap<>();
      found.forEach((name, place) -> loaded.put(name, load(place)));
      return Weights.of(scope, loaded);
    }

    private Tensor load(Found found) {
      if (found instanceof Found.Quantized quantized) {
        return quantized.weight().decode(scope, files, dtype);
      }
      Found.Plain plain = (Found.Plain) found;
      Tensor tensor = files.stored(scope, plain.entry(), plain.dtype());
      if (plain.turned()) {
        tensor = files.tensors().transposed(scope, tensor);
      }
      return plain.table() ? tensor : files.tensors().cast(scope, tensor, dtype);
    }
  }
}

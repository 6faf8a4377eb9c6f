package dev.graft.server.backbones;

import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.Kernel.Packing;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The tensors of a backbone that stay on the device, in the type of a computation.
 *
 * @param scope owns them all
 * @param outside tensors outside the blocks
 * @param blocks tensors of each block; none where blocks are made on demand
 */
record DeviceParameters(Scope scope, Weights outside, List<Weights> blocks)
    implements AutoCloseable {

  /** All tensors. */
  static DeviceParameters all(Parameters parameters, WeightsLoader loader) {
    return load(parameters.outside(), parameters.blocks(), loader);
  }

  /** Some outside the blocks. */
  static DeviceParameters outside(Map<String, Found> found, WeightsLoader loader) {
    return load(found, List.of(), loader);
  }

  private static DeviceParameters load(
      Map<String, Found> outside, List<Map<String, Found>> blocks, WeightsLoader loader) {
    Scope scope = Scope.open(loader.device());
    try {
      TensorFiles files = loader.files(scope);
      List<Weights> loaded = new ArrayList<>();
      for (Map<String, Found> block : blocks) {
        // Where linear layers' weights are packed, the pages they came from go with them.
        try (Scope passing = Scope.open(loader.device())) {
          TensorFiles own = loader.packing() != Packing.NONE ? loader.files(passing) : files;
          loaded.add(loader.block(scope, block, own));
        }
      }
      return new DeviceParameters(scope, loader.outside(scope, outside, files), loaded);
    } catch (Throwable e) { // whatever it is, what was loaded so far must not stay
      scope.close();
      throw e;
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}

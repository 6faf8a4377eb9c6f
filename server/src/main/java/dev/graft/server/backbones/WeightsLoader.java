package dev.graft.server.backbones;

import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Kernel.Packing;
import dev.graft.server.torch.Program;
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
 * Brings tensors onto the device in the type of a computation. On the CPU a tensor that is stored
 * as it is computed with is a view of its file; others are converted or decoded.
 *
 * @param packing what the weights of linear layers in blocks are made into
 * @param program does that
 */
record WeightsLoader(
    TorchDevice device, Tensors tensors, DType dtype, Packing packing, Program program) {
  private static final String WEIGHT = ".weight";

  /** Mappings of files that live as long as {@code scope}. */
  TensorFiles files(Scope scope) {
    return new TensorFiles(scope, tensors);
  }

  /**
   * Loads tensors outside the blocks.
   *
   * @param scope owns them
   */
  Weights outside(Scope scope, Map<String, Found> found, TensorFiles files) {
    return Weights.of(scope, load(scope, found, files));
  }

  /** Loads the tensors of a block. */
  Weights block(Scope scope, Map<String, Found> found, TensorFiles files) {
    return switch (packing) {
      case NONE -> Weights.of(scope, load(scope, found, files));
      case WEIGHTS -> weightsPacked(scope, found, files);
      case BLOCKS -> blockPacked(scope, found, files);
    };
  }

  private Weights weightsPacked(Scope scope, Map<String, Found> found, TensorFiles files) {
    Map<String, Tensor> packed = new LinkedHashMap<>();
    found.forEach(
        (name, place) -> {
          try (Scope original = Scope.open(device)) {
            Tensor tensor = load(original, place, files);
            packed.put(
                name,
                isLinear(name, tensor) ? program.call(scope, "packed", tensor) : tensor.in(scope));
          }
        });
    return Weights.of(scope, packed);
  }

  private Weights blockPacked(Scope scope, Map<String, Found> found, TensorFiles files) {
    try (Scope originals = Scope.open(device)) {
      Weights weights = Weights.of(originals, load(originals, found, files));
      List<String> linear = new ArrayList<>();
      List<String> others = new ArrayList<>();
      weights
          .tensors()
          .forEach(
              (name, tensor) -> {
                if (isLinear(name, tensor)) {
                  linear.add(name.substring(0, name.length() - WEIGHT.length()));
                } else {
                  others.add(name);
                }
              });
      return program.callWeights(scope, "pack", weights, linear, others);
    }
  }

  private static boolean isLinear(String name, Tensor tensor) {
    return name.endsWith(WEIGHT) && tensor.shape().length == 2;
  }

  private Map<String, Tensor> load(Scope scope, Map<String, Found> found, TensorFiles files) {
    Map<String, Tensor> loaded = new LinkedHashMap<>();
    found.forEach((name, place) -> loaded.put(name, load(scope, place, files)));
    return loaded;
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

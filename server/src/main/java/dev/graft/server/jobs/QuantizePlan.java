package dev.graft.server.jobs;

import dev.graft.server.backbones.LinearWeights;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What is to become of each tensor of a source. */
final class QuantizePlan {
  private QuantizePlan() {}

  /** The tensors, blocks by their numbers. */
  static List<PlannedTensor> of(Checkpoint source, QuantizeRequest request) {
    LinearWeights linear = LinearWeights.of(source);
    SkippedModules skipped = new SkippedModules(linear, request.skipModules());
    List<PlannedTensor> tensors = new ArrayList<>();
    for (SourceTensor tensor : SourceTensor.of(source, linear)) {
      tensors.add(plan(tensor, request, linear, skipped));
    }
    tensors.sort(Comparator.comparing(PlannedTensor::name, QuantizePlan::byNumbers));
    return tensors;
  }

  private static PlannedTensor plan(
      SourceTensor tensor, QuantizeRequest request, LinearWeights linear, SkippedModules skipped) {
    boolean floating = tensor.type().isFloat16OrWider();
    boolean quantized =
        request.scheme() != QuantizationScheme.NONE
            && floating
            && linear.isLinear(tensor.name(), tensor.shape().length)
            && !skipped.contains(tensor.name());
    StoredType type = floating ? request.dataType().orElse(tensor.type()) : tensor.type();
    if (quantized && type == StoredType.F64) {
      type = StoredType.F32; // quantizers take no more
    }
    return new PlannedTensor(
        tensor.name(),
        tensor.source(),
        tensor.shape(),
        type,
        linear.isTurned(tensor.name()),
        quantized);
  }

  /** By name, but 2 before 10. */
  static int byNumbers(String a, String b) {
    String[] these = a.split("\\.", -1);
    String[] those = b.split("\\.", -1);
    for (int i = 0; i < Math.min(these.length, those.length); i++) {
      boolean numbers = isNumber(these[i]) && isNumber(those[i]);
      int order =
          numbers
              ? Integer.compare(Integer.parseInt(these[i]), Integer.parseInt(those[i]))
              : these[i].compareTo(those[i]);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(these.length, those.length);
  }

  private static boolean isNumber(String part) {
    return part.length() < 10 && part.matches("[0-9]+");
  }
}

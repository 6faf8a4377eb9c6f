package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.LinearWeights;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.GgufTensor;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.quantizing.GgmlWeight;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.QuantizedWeights;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A tensor of a source under its name in transformers, whatever the source stores of it.
 *
 * @param shape as an unquantized model stores it
 * @param type of its values as they are stored, or, for one that must be decoded, as they come
 */
record SourceTensor(String name, PlannedTensor.Source source, long[] shape, StoredType type) {
  /**
   * All of a source.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT or UNSUPPORTED_OPTION
   */
  static List<SourceTensor> of(Checkpoint source, LinearWeights linear) {
    StoredType decodedType = decodedType(source);
    QuantizedWeights quantized = QuantizedWeights.of(source);
    List<SourceTensor> tensors = new ArrayList<>();
    Set<String> taken = new HashSet<>();
    for (Map.Entry<String, long[]> weight : linear.shapes().entrySet()) {
      Optional<QuantizedWeight> found =
          source.ggufTensor(weight.getKey()).isPresent()
              ? Optional.empty()
              : quantized.find(weight.getKey(), weight.getValue());
      if (found.isPresent()) {
        found.get().entries().forEach(entry -> taken.add(entry.name()));
        taken.add(module(weight.getKey()) + ".weight_format"); // of int8, and says nothing
        tensors.add(decoded(found.get(), linear.isTurned(weight.getKey()), decodedType));
      }
    }
    for (TensorEntry entry : source.tensors()) {
      if (!taken.contains(entry.name())) {
        tensors.add(rest(source, entry, decodedType));
      }
    }
    return tensors;
  }

  private static String module(String weightName) {
    return LinearWeights.module(weightName);
  }

  private static SourceTensor rest(Checkpoint source, TensorEntry entry, StoredType decodedType) {
    Optional<GgufTensor> gguf = source.ggufTensor(entry.name());
    if (gguf.isPresent() && !gguf.get().asInSafetensors()) {
      QuantizedWeight weight =
          GgmlWeight.find(source, entry.name(), gguf.get().shape()).orElseThrow();
      return decoded(weight, false, decodedType);
    }
    boolean packed =
        entry.type() == StoredType.U8
            || entry.type() == StoredType.I8
            || entry.type() == StoredType.I32;
    if (packed && source.configuration().has("quantization_config")) {
      throw GraftException.failedPrecondition(
              "UNSUPPORTED_OPTION",
              "%s: tensor %s is quantized, and of no layer whose shape is known"
                  .formatted(source.directory(), entry.name()))
          .with("tensor", entry.name());
    }
    return new SourceTensor(
        entry.name(), new PlannedTensor.Stored(entry), entry.shape(), entry.type());
  }

  private static SourceTensor decoded(QuantizedWeight weight, boolean turned, StoredType type) {
    long[] shape = weight.shape();
    return new SourceTensor(
        weight.name(),
        new PlannedTensor.Decoded(weight),
        turned ? new long[] {shape[1], shape[0]} : shape,
        type);
  }

  /** What the model was quantized from. */
  private static StoredType decodedType(Checkpoint source) {
    String key = source.configuration().has("dtype") ? "dtype" : "torch_dtype";
    return switch (source.configuration().path(key).asText("")) {
      case "bfloat16" -> StoredType.BF16;
      case "float16" -> StoredType.F16;
      default -> StoredType.F32;
    };
  }
}

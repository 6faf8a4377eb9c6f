package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.QuantizedWeights;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An architecture's tensors, found in a checkpoint and checked.
 *
 * @param outside by the name that the program looks up
 * @param blocks the same for each block
 */
record Parameters(Map<String, Found> outside, List<Map<String, Found>> blocks) {
  /** A tensor's place. */
  sealed interface Found {
    /** Whether it stays in the type in which it is stored. */
    boolean table();

    /** Number of values. */
    long count();

    /** What is stored of it. */
    List<TensorEntry> entries();

    /**
     * Values as they are.
     *
     * @param turned whether the file holds the transpose of what the program uses
     */
    record Plain(TensorEntry entry, DType dtype, boolean turned, boolean table) implements Found {
      @Override
      public long count() {
        return entry.bytes() / dtype.bytes();
      }

      @Override
      public List<TensorEntry> entries() {
        return List.of(entry);
      }
    }

    /** Values that must be decoded. */
    record Quantized(QuantizedWeight weight, boolean table) implements Found {
      @Override
      public long count() {
        return Arrays.stream(weight.shape()).reduce(1, Math::multiplyExact);
      }

      @Override
      public List<TensorEntry> entries() {
        return weight.entries();
      }
    }
  }

  static Parameters find(
      Architecture architecture, Checkpoint checkpoint, QuantizedWeights quantized) {
    Search search = new Search(architecture, checkpoint, quantized);
    List<Map<String, Found>> blocks = new ArrayList<>();
    Map<String, Found> outside = search.find("", architecture.outside());
    for (int block = 0; block < architecture.blocks(); block++) {
      String prefix = architecture.blockPrefix() + block + ".";
      blocks.add(search.find(prefix, architecture.inBlock()));
    }
    return new Parameters(outside, blocks);
  }

  private record Search(
      Architecture architecture, Checkpoint checkpoint, QuantizedWeights quantized) {
    Map<String, Found> find(String block, List<Parameter> parameters) {
      Map<String, Found> found = new LinkedHashMap<>();
      for (Parameter parameter : parameters) {
        found.put(parameter.name(), find(block, parameter));
      }
      return found;
    }

    private Found find(String block, Parameter parameter) {
      List<String> names = names(block, parameter);
      for (String name : names) {
        // First, for some schemes store packed values under the weight's own name, as floats even.
        Optional<QuantizedWeight> weight = quantized.find(name, shape(parameter));
        if (weight.isPresent()) {
          return check(weight.get(), parameter, checkpoint);
        }
        Optional<TensorEntry> entry = checkpoint.find(name);
        if (entry.isPresent()) {
          return check(entry.get(), parameter, checkpoint);
        }
      }
      throw GraftException.failedPrecondition(
              "MISSING_TENSOR",
              "%s has no tensor %s%s (looked for %s)"
                  .formatted(
                      checkpoint.directory(), block, parameter.name(), String.join(", ", names)))
          .with("tensor", block + parameter.name());
    }

    private List<String> names(String block, Parameter parameter) {
      List<String> names = new ArrayList<>();
      for (String name :
          Stream.concat(Stream.of(parameter.name()), parameter.otherNames().stream()).toList()) {
        for (String prefix : architecture.prefixes()) {
          names.add(prefix + block + name);
        }
      }
      return names;
    }
  }

  private static long[] shape(Parameter parameter) {
    return parameter.shape().stream().mapToLong(Long::longValue).toArray();
  }

  private static Found check(TensorEntry entry, Parameter parameter, Checkpoint checkpoint) {
    List<Long> expected = new ArrayList<>(parameter.shape());
    if (parameter.turned()) {
      Collections.reverse(expected);
    }
    checkShape(entry.name(), entry.shape(), expected, checkpoint);
    return new Found.Plain(
        entry,
        dtype(entry, checkpoint),
        parameter.turned() != entry.transposed(),
        parameter.table());
  }

  /** Linear layers are never stored turned when they are quantized, as GPT-2's otherwise are. */
  private static Found check(QuantizedWeight weight, Parameter parameter, Checkpoint checkpoint) {
    checkShape(weight.name(), weight.shape(), parameter.shape(), checkpoint);
    return new Found.Quantized(weight, parameter.table());
  }

  private static void checkShape(
      String name, long[] found, List<Long> expected, Checkpoint checkpoint) {
    List<Long> shape = Arrays.stream(found).boxed().toList();
    if (!shape.equals(expected)) {
      throw GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT",
              "%s: tensor %s has shape %s where config.json asks for %s"
                  .formatted(checkpoint.directory(), name, shape, expected))
          .with("tensor", name)
          .with("expected", expected)
          .with("found", shape);
    }
  }

  private static DType dtype(TensorEntry entry, Checkpoint checkpoint) {
    StoredType type = entry.type();
    if (!type.isFloat16OrWider()) {
      throw GraftException.failedPrecondition(
              "UNSUPPORTED_OPTION",
              "%s: tensor %s is stored as %s; weights must be F32, F16, BF16 or F64"
                  .formatted(checkpoint.directory(), entry.name(), type))
          .with("tensor", entry.name())
          .with("option", "dtype")
          .with("value", type);
    }
    return TensorFiles.dtype(type);
  }

  /** Number of tensors. */
  int tensors() {
    return all().size();
  }

  /** Number of values, decoded. */
  long count() {
    return all().stream().mapToLong(Found::count).sum();
  }

  /** Size in bytes, as stored. */
  long bytes() {
    return all().stream().mapToLong(Parameters::bytes).sum();
  }

  static long bytes(Found found) {
    return found.entries().stream().mapToLong(TensorEntry::bytes).sum();
  }

  /** Those that must be decoded. */
  Stream<QuantizedWeight> quantized() {
    return all().stream()
        .filter(Found.Quantized.class::isInstance)
        .map(found -> ((Found.Quantized) found).weight());
  }

  /** Whether any tensor of a block must be decoded. */
  boolean hasQuantizedBlocks() {
    return blocks.stream()
        .flatMap(block -> block.values().stream())
        .anyMatch(Found.Quantized.class::isInstance);
  }

  /** Whether the weight of any linear layer is stored as it is computed with. */
  boolean hasMappedLinearWeights(ComputeDtype dtype) {
    return dtype != ComputeDtype.INT8_DYNAMIC
        && blocks.stream()
            .flatMap(block -> block.values().stream())
            .anyMatch(
                found ->
                    found instanceof Found.Plain plain
                        && plain.entry().shape().length == 2
                        && plain.dtype() == dtype.dtype()
                        && !plain.turned());
  }

  /**
   * Memory that all of them take when they are kept for a type, mapped files included: what is
   * mapped as it is stored takes as much as what is converted, only not from this process alone.
   */
  long residentBytes(ComputeDtype dtype) {
    return all().stream()
        .mapToLong(
            found ->
                found instanceof Found.Plain plain && plain.table()
                    ? plain.entry().bytes()
                    : found.count() * dtype.weightBytes())
        .sum();
  }

  private List<Found> all() {
    List<Found> all = new ArrayList<>(outside.values());
    blocks.forEach(block -> all.addAll(block.values()));
    return all;
  }
}

package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An architecture's tensors, found in a checkpoint and checked.
 *
 * @param outside by the name that the program looks up
 * @param blocks the same for each block
 */
record Parameters(Map<String, Found> outside, List<Map<String, Found>> blocks) {
  /**
   * A tensor's place.
   *
   * @param turned whether the file holds the transpose of what the program uses
   */
  record Found(TensorEntry entry, DType dtype, boolean turned) {}

  static Parameters find(Architecture architecture, Checkpoint checkpoint) {
    List<Map<String, Found>> blocks = new ArrayList<>();
    Map<String, Found> outside = find(architecture, checkpoint, "", architecture.outside());
    for (int block = 0; block < architecture.blocks(); block++) {
      String prefix = architecture.blockPrefix() + block + ".";
      blocks.add(find(architecture, checkpoint, prefix, architecture.inBlock()));
    }
    return new Parameters(outside, blocks);
  }

  private static Map<String, Found> find(
      Architecture architecture, Checkpoint checkpoint, String block, List<Parameter> parameters) {
    Map<String, Found> found = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      TensorEntry entry = entry(architecture, checkpoint, block, parameter);
      found.put(parameter.name(), check(entry, parameter, checkpoint));
    }
    return found;
  }

  private static TensorEntry entry(
      Architecture architecture, Checkpoint checkpoint, String block, Parameter parameter) {
    List<String> names = new ArrayList<>();
    names.add(parameter.name());
    names.addAll(parameter.otherNames());
    List<String> tried = new ArrayList<>();
    for (String name : names) {
      for (String prefix : architecture.prefixes()) {
        tried.add(prefix + block + name);
      }
    }
    return tried.stream()
        .flatMap(name -> checkpoint.find(name).stream())
        .findFirst()
        .orElseThrow(
            () ->
                GraftException.failedPrecondition(
                        "MISSING_TENSOR",
                        "%s has no tensor %s%s (looked for %s)"
                            .formatted(
                                checkpoint.directory(),
                                block,
                                parameter.name(),
                                String.join(", ", tried)))
                    .with("tensor", block + parameter.name()));
  }

  private static Found check(TensorEntry entry, Parameter parameter, Checkpoint checkpoint) {
    List<Long> expected = new ArrayList<>(parameter.shape());
    if (parameter.turned()) {
      Collections.reverse(expected);
    }
    List<Long> shape = Arrays.stream(entry.shape()).boxed().toList();
    if (!shape.equals(expected)) {
      throw GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT",
              "%s: tensor %s has shape %s where config.json asks for %s"
                  .formatted(checkpoint.directory(), entry.name(), shape, expected))
          .with("tensor", entry.name())
          .with("expected", expected)
          .with("found", shape);
    }
    return new Found(entry, dtype(entry, checkpoint), parameter.turned() != entry.transposed());
  }

  private static DType dtype(TensorEntry entry, Checkpoint checkpoint) {
    StoredType type = entry.type();
    return switch (type) {
      case F32 -> DType.F32;
      case F16 -> DType.F16;
      case BF16 -> DType.BF16;
      case F64 -> DType.F64;
      case BOOL,
          U8,
          I8,
          F8_E5M2,
          F8_E4M3,
          F8_E8M0,
          F8_E4M3FNUZ,
          F8_E5M2FNUZ,
          I16,
          U16,
          I32,
          U32,
          C64,
          I64,
          U64 ->
          throw GraftException.failedPrecondition(
                  "UNSUPPORTED_OPTION",
                  "%s: tensor %s is stored as %s; weights must be F32, F16, BF16 or F64"
                      .formatted(checkpoint.directory(), entry.name(), type))
              .with("tensor", entry.name())
              .with("option", "dtype")
              .with("value", type);
    };
  }

  /** Number of tensors. */
  int tensors() {
    return all().size();
  }

  /** Number of values. */
  long count() {
    return all().stream().mapToLong(found -> found.entry().bytes() / found.dtype().bytes()).sum();
  }

  /** Size in bytes, as stored. */
  long bytes() {
    return all().stream().mapToLong(found -> found.entry().bytes()).sum();
  }

  private List<Found> all() {
    List<Found> all = new ArrayList<>(outside.values());
    blocks.forEach(block -> all.addAll(block.values()));
    return all;
  }
}

package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What is stored of one weight beside each other: {@code qweight}, {@code qzeros}, {@code scales}.
 *
 * @param prefix their common beginning: {@code model.layers.0.mlp.up_proj.}
 */
record PackedTensors(Checkpoint checkpoint, String prefix) {
  /** Bits of a word. */
  static final int WORD_BITS = 32;

  private static final String WEIGHT = "weight";

  /** The tensors of a weight; empty if {@code weightName} names no weight. */
  static Optional<PackedTensors> of(Checkpoint checkpoint, String weightName) {
    return weightName.equals(WEIGHT) || weightName.endsWith("." + WEIGHT)
        ? Optional.of(
            new PackedTensors(
                checkpoint, weightName.substring(0, weightName.length() - WEIGHT.length())))
        : Optional.empty();
  }

  String weightName() {
    return prefix + WEIGHT;
  }

  String module() {
    return prefix.isEmpty() ? "" : prefix.substring(0, prefix.length() - 1);
  }

  /**
   * Whether the weight is stored packed.
   *
   * @throws GraftException FAILED_PRECONDITION MISSING_TENSOR if only the codes themselves are not
   *     there
   */
  boolean isStored() {
    if (has("qweight")) {
      return true;
    }
    boolean others = Stream.of("qzeros", "scales", "g_idx").anyMatch(this::has);
    if (others && !has(WEIGHT)) {
      checkpoint.require(prefix + "qweight");
    }
    return false;
  }

  boolean has(String suffix) {
    return checkpoint.find(prefix + suffix).isPresent();
  }

  /** A tensor of words or numbers of 32 bits, with exactly this shape. */
  TensorEntry words(String suffix, long... shape) {
    TensorEntry entry = require(suffix, shape);
    if (entry.type() != StoredType.I32) {
      throw WrongEntry.type(entry, "I32");
    }
    return entry;
  }

  /** The scales, which are 16 bits wide in most checkpoints. */
  TensorEntry scales(long... shape) {
    TensorEntry entry = require("scales", shape);
    dtype(entry);
    return entry;
  }

  /** The type of scales. */
  static DType dtype(TensorEntry scales) {
    if (!scales.type().isFloat16OrWider() || scales.type() == StoredType.F64) {
      throw WrongEntry.type(scales, "F16, BF16 or F32");
    }
    return TensorFiles.dtype(scales.type());
  }

  private TensorEntry require(String suffix, long... shape) {
    TensorEntry entry = checkpoint.require(prefix + suffix);
    if (!Arrays.equals(entry.shape(), shape)) {
      throw WrongEntry.corrupt(
          entry,
          "has shape %s where the model and quantization_config in config.json ask for %s"
              .formatted(Arrays.toString(entry.shape()), Arrays.toString(shape)));
    }
    return entry;
  }

  /** Refuses a weight of which a dimension is not a whole number of words. */
  void requireWords(String dimension, long size, int bits) {
    if (size < 1 || size * bits % WORD_BITS != 0) {
      throw GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT",
              "%s: %s cannot be packed: %d %s of %d bits are no whole number of words"
                  .formatted(checkpoint.directory(), weightName(), size, dimension, bits))
          .with("tensor", weightName());
    }
  }
}

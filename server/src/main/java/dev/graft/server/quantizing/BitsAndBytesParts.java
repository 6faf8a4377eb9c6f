package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import java.util.Arrays;
import java.util.Optional;

/** What is stored of one weight under names that begin alike, and the errors if it is wrong. */
record BitsAndBytesParts(Checkpoint checkpoint, String weightName) {
  Optional<TensorEntry> weight() {
    return checkpoint.find(weightName);
  }

  boolean has(String name) {
    return checkpoint.find(name).isPresent();
  }

  /**
   * A vector of exactly this length.
   *
   * @throws GraftException MISSING_TENSOR, or CORRUPT_CHECKPOINT for another type or shape
   */
  TensorEntry vector(String name, StoredType type, long length) {
    TensorEntry entry = checkpoint.require(name);
    requireType(entry, type);
    if (!Arrays.equals(entry.shape(), new long[] {length})) {
      throw corrupt(
          entry,
          "has shape %s where %s needs [%d]"
              .formatted(Arrays.toString(entry.shape()), weightName, length));
    }
    return entry;
  }

  static void requireType(TensorEntry entry, StoredType type) {
    if (entry.type() != type) {
      throw corrupt(entry, "is stored as %s; it must be %s".formatted(entry.type(), type));
    }
  }

  /** Whether an entry is of a type in which weights are stored that are not quantized. */
  static boolean isFloating(TensorEntry entry) {
    return switch (entry.type()) {
      case F16, BF16, F32, F64 -> true;
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
          false;
    };
  }

  /** The error of a tensor that bitsandbytes could not have written. */
  static GraftException corrupt(TensorEntry entry, String problem) {
    return error("CORRUPT_CHECKPOINT", entry, problem);
  }

  /** The error of a setting that is not read. */
  static GraftException unsupported(TensorEntry entry, String option, String problem) {
    return error("UNSUPPORTED_OPTION", entry, problem).with("option", option);
  }

  private static GraftException error(String reason, TensorEntry entry, String problem) {
    return GraftException.failedPrecondition(
            reason, "%s: tensor %s %s".formatted(entry.file(), entry.name(), problem))
        .with("file", entry.file())
        .with("tensor", entry.name());
  }
}

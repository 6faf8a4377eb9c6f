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
      throw WrongEntry.corrupt(
          entry,
          "has shape %s where %s needs [%d]"
              .formatted(Arrays.toString(entry.shape()), weightName, length));
    }
    return entry;
  }

  static void requireType(TensorEntry entry, StoredType type) {
    if (entry.type() != type) {
      throw WrongEntry.type(entry, type);
    }
  }
}

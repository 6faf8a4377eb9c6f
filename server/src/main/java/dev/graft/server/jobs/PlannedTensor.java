package dev.graft.server.jobs;

import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.quantizing.QuantizedWeight;

/**
 * A tensor of the source, and what is to become of it.
 *
 * @param name its name in the source
 * @param source where it comes from
 * @param shape as the source stores it, or would if it were not quantized
 * @param type what it is stored as, or is given to the quantizer as
 * @param turned whether {@code shape} is [in, out] of a linear layer
 * @param quantized whether it is quantized
 */
record PlannedTensor(
    String name, Source source, long[] shape, StoredType type, boolean turned, boolean quantized) {

  /** Where a tensor comes from. */
  sealed interface Source {
    /** Its size in bytes. */
    long bytes();
  }

  record Stored(TensorEntry entry) implements Source {
    @Override
    public long bytes() {
      return entry.bytes();
    }
  }

  record Decoded(QuantizedWeight weight) implements Source {
    @Override
    public long bytes() {
      return weight.entries().stream().mapToLong(TensorEntry::bytes).sum();
    }
  }

  /** Number of values. */
  long values() {
    long values = 1;
    for (long size : shape) {
      values *= size;
    }
    return values;
  }

  /** Whether the result has the very bytes of the source. */
  boolean isKept() {
    return !quantized
        && source instanceof Stored stored
        && stored.entry().type() == type
        && !stored.entry().transposed();
  }

  /**
   * Memory that its conversion takes at most, in bytes: what is held whole of the source, the
   * decoded result and its parts.
   */
  long memoryBytes() {
    if (isKept()) {
      return 0;
    }
    boolean whole = !(source instanceof Stored stored) || stored.entry().transposed();
    long decoded = whole ? values() * Float.BYTES : 0;
    if (!quantized) {
      return decoded;
    }
    long turnedRound = turned ? 2 * type.bytes() + Float.BYTES : 0;
    return decoded + values() * (turnedRound + Float.BYTES + 1);
  }
}

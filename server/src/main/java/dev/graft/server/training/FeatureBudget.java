package dev.graft.server.training;

import dev.graft.server.GraftException;

/** The memory that the features and labels of one training take, of what all may take together. */
public final class FeatureBudget implements AutoCloseable {
  private final FeatureMemory memory;

  /** Guarded by this. */
  private long takenBytes;

  /** Guarded by this. */
  private boolean closed;

  FeatureBudget(FeatureMemory memory) {
    this.memory = memory;
  }

  /**
   * Counts what is about to be kept.
   *
   * @throws GraftException RESOURCE_EXHAUSTED: DATASET_TOO_LARGE for this training alone, or
   *     FEATURE_MEMORY_FULL, which passes when others end
   */
  synchronized void take(long bytes) {
    if (closed) {
      throw new IllegalStateException("The training is over.");
    }
    if (bytes > memory.maxBytes() - takenBytes) {
      throw tooMuch(
          "DATASET_TOO_LARGE",
          "Features and labels take more than this worker's limit of %d bytes. Send fewer items, or use a worker with more"
              + " memory.");
    }
    if (!memory.take(bytes)) {
      throw tooMuch(
          "FEATURE_MEMORY_FULL",
          "Features and labels of this and other trainings take more than this worker's limit of %d bytes. Try again"
              + " when others have ended, or another worker.");
    }
    takenBytes += bytes;
  }

  private GraftException tooMuch(String reason, String message) {
    return GraftException.of(
            GraftException.Category.RESOURCE_EXHAUSTED,
            reason,
            message.formatted(memory.maxBytes()))
        .with("limit_bytes", memory.maxBytes());
  }

  /** Gives all of it back; nothing is kept any more. May be called again. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      memory.giveBack(takenBytes);
    }
  }
}

package dev.graft.server.training;

/** How much memory the features and labels of a worker's trainings may take, all together. */
public final class FeatureMemory {
  private final long maxBytes;

  /** Guarded by this. */
  private long takenBytes;

  public FeatureMemory(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  public long maxBytes() {
    return maxBytes;
  }

  /** What one training takes of it; closed when the training is over. */
  public FeatureBudget open() {
    return new FeatureBudget(this);
  }

  /** Counts more bytes as taken if there is room for them. */
  synchronized boolean take(long bytes) {
    if (bytes > maxBytes - takenBytes) {
      return false;
    }
    takenBytes += bytes;
    return true;
  }

  synchronized void giveBack(long bytes) {
    takenBytes -= bytes;
  }
}

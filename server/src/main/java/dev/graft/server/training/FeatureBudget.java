package dev.graft.server.training;

import dev.graft.server.GraftException;
import java.util.concurrent.atomic.AtomicLong;

/** How much memory the features and labels of a job may take, training and evaluation together. */
public final class FeatureBudget {
  private final long maxBytes;
  private final AtomicLong bytes = new AtomicLong();

  public FeatureBudget(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * Counts what is about to be kept.
   *
   * @throws GraftException RESOURCE_EXHAUSTED (DATASET_TOO_LARGE)
   */
  void take(long more) {
    if (bytes.addAndGet(more) > maxBytes) {
      throw GraftException.of(
              GraftException.Category.RESOURCE_EXHAUSTED,
              "DATASET_TOO_LARGE",
              ("Features and labels take more than this worker's limit of %d bytes. Send fewer items, or use a worker"
                      + " with more memory.")
                  .formatted(maxBytes))
          .with("limit_bytes", maxBytes);
    }
  }
}

package dev.graft.client.pool;

import dev.graft.client.TrainEvent;
import dev.graft.v1.ItemResult;

/**
 * What the features of a training came to, which the worker that trains on them does not know.
 *
 * @param truncatedItems contents that were cut to max_tokens
 * @param tokens tokens computed
 * @param seconds from the first item to the last feature
 */
record ExtractionSummary(long truncatedItems, long tokens, double seconds) {
  static final ExtractionSummary NONE = new ExtractionSummary(0, 0, 0);

  /** Counts results as they come. */
  static final class Count {
    private final long begunNanos = System.nanoTime();
    private long truncatedItems;
    private long tokens;

    void add(ItemResult result) {
      truncatedItems += result.getTruncatedTokens() > 0 ? 1 : 0;
      tokens += result.getTokens();
    }

    ExtractionSummary summary() {
      return new ExtractionSummary(truncatedItems, tokens, (System.nanoTime() - begunNanos) / 1e9);
    }
  }

  /** The event as a worker would have told it that computed the features itself. */
  TrainEvent addedTo(TrainEvent event) {
    if (equals(NONE)) {
      return event;
    }
    if (event instanceof TrainEvent.Started started) {
      return new TrainEvent.Started(
          started.training().toBuilder().setTruncatedItems(truncatedItems).build());
    }
    if (event instanceof TrainEvent.Completed completed) {
      return new TrainEvent.Completed(
          completed.result().toBuilder().setTokens(tokens).setExtractionSeconds(seconds).build(),
          completed.projectorFile());
    }
    return event;
  }
}

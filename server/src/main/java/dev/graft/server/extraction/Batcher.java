package dev.graft.server.extraction;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Gathers items in windows and cuts each into batches of similar length.
 *
 * <p>A window ends when it holds enough tokens. The first are small, so that results come early
 * where traffic is thin; each is twice as large as the one before, so that lengths differ little
 * where there is much. A window's batches are about equal: a small one left over would take nearly
 * the time of a large one. Nothing here knows the time.
 */
final class Batcher {
  /** Largest window, in batches. */
  private static final int MOST_BATCHES = 64;

  /** Attention pads to the longest item of a batch; at most so many times the tokens. */
  private static final int MOST_PADDING = 2;

  private final int tokensPerBatch;
  private final int itemsPerBatch;
  private int windowBatches = 8;
  private long windowTokens;
  private List<TokenizedItem> window = new ArrayList<>();

  /**
   * @param tokensPerBatch most tokens of a batch; a longer item is a batch of its own
   * @param itemsPerBatch most items of a batch
   */
  Batcher(int tokensPerBatch, int itemsPerBatch) {
    this.tokensPerBatch = tokensPerBatch;
    this.itemsPerBatch = itemsPerBatch;
  }

  /** Adds an item; returns the batches of the window that it completes, or none. */
  List<List<TokenizedItem>> add(TokenizedItem item) {
    window.add(item);
    windowTokens += item.ids().length;
    if (windowTokens < (long) windowBatches * tokensPerBatch) {
      return List.of();
    }
    return cut(1);
  }

  /**
   * Ends the window; returns its batches, longest items first. Nothing follows for now, so the last
   * ones are small: that two lanes end together.
   */
  List<List<TokenizedItem>> flush() {
    return cut(2);
  }

  /**
   * @param parts batches of what a batch could hold at the end
   */
  private List<List<TokenizedItem>> cut(int parts) {
    List<TokenizedItem> items = window;
    long left = windowTokens;
    window = new ArrayList<>();
    windowTokens = 0;
    windowBatches = Math.min(MOST_BATCHES, windowBatches * 2);
    // The sort is stable: items of one length stay in their order.
    items.sort(Comparator.comparingInt(item -> -item.ids().length));
    List<List<TokenizedItem>> batches = new ArrayList<>();
    for (int start = 0; start < items.size(); ) {
      long more = (left + tokensPerBatch - 1) / tokensPerBatch;
      if (more == 1 && left > tokensPerBatch / parts) {
        more = parts;
      }
      int end = end(items, start, left / more);
      for (TokenizedItem item : items.subList(start, end)) {
        left -= item.ids().length;
      }
      batches.add(List.copyOf(items.subList(start, end)));
      start = end;
    }
    return batches;
  }

  /** The end of the batch that comes nearest to {@code wanted} tokens. */
  private int end(List<TokenizedItem> items, int start, long wanted) {
    int longest = items.get(start).ids().length;
    int most = (int) Math.min(itemsPerBatch, (long) MOST_PADDING * tokensPerBatch / longest);
    int end = start + 1;
    for (long tokens = longest; end < items.size() && end - start < most; end++) {
      int more = items.get(end).ids().length;
      if (tokens + more > tokensPerBatch || tokens + more / 2 > wanted) {
        break;
      }
      tokens += more;
    }
    return end;
  }
}

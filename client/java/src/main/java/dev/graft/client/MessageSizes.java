package dev.graft.client;

/**
 * How large messages are made.
 *
 * @param maxBytes largest message that either side accepts
 */
record MessageSizes(int maxBytes) {
  /** The contract's margin for what surrounds a file's chunk. */
  private static final int MARGIN_BYTES = 64 << 10;

  /** Large enough that the cost of a message does not count, small enough to be paced. */
  private static final int GOOD_BYTES = 256 << 10;

  /** Tags and lengths of the two messages around a single item take less. */
  private static final int ITEM_ENVELOPE_BYTES = 64;

  MessageSizes {
    if (maxBytes < 2 * MARGIN_BYTES) {
      throw new IllegalArgumentException(
          "maxMessageBytes is " + maxBytes + ", but must be at least " + 2 * MARGIN_BYTES);
    }
  }

  /** Where a message counts as full, and how large a file's chunk is. */
  int goodBytes() {
    return Math.min(GOOD_BYTES, maxBytes - MARGIN_BYTES);
  }

  /** Largest single item. */
  int maxItemBytes() {
    return maxBytes - ITEM_ENVELOPE_BYTES;
  }
}

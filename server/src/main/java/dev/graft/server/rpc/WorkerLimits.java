package dev.graft.server.rpc;

/**
 * What clients must keep to.
 *
 * @param maxMessageBytes largest message, in both directions
 * @param maxConcurrentCalls Extract, Train and Quantize calls at the same time
 * @param maxFileBytes largest uploaded file
 */
record WorkerLimits(int maxMessageBytes, int maxConcurrentCalls, long maxFileBytes) {
  /** Bytes of a message that are left to what surrounds its main part. */
  static final int OVERHEAD_BYTES = 64 * 1024;

  /** The smallest limit of messages. */
  static final int LEAST_MESSAGE_BYTES = 2 * OVERHEAD_BYTES;

  private static final int MOST_CHUNK_BYTES = 256 * 1024;

  /** Bytes of a file that go in one message. */
  int chunkBytes() {
    return Math.min(MOST_CHUNK_BYTES, maxMessageBytes - OVERHEAD_BYTES);
  }
}

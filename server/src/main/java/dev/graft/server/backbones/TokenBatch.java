package dev.graft.server.backbones;

import java.util.List;

/**
 * Token ids of several sequences, padded on the right.
 *
 * @param ids {@code [batch, longest]}, row-major; padding is 0
 * @param typeIds segments, likewise; null when all are 0
 * @param lengths real tokens of each sequence, at least 1
 */
public record TokenBatch(long[] ids, long[] typeIds, int[] lengths) {
  /**
   * Pads sequences to the longest one. {@code typeIds} has null where a sequence's segments are all
   * 0.
   */
  public static TokenBatch of(List<int[]> ids, List<int[]> typeIds) {
    int longest = ids.stream().mapToInt(sequence -> sequence.length).max().orElseThrow();
    boolean typed = typeIds.stream().anyMatch(segments -> segments != null);
    return new TokenBatch(
        padded(ids, longest),
        typed ? padded(typeIds, longest) : null,
        ids.stream().mapToInt(sequence -> sequence.length).toArray());
  }

  private static long[] padded(List<int[]> sequences, int longest) {
    long[] padded = new long[sequences.size() * longest];
    for (int row = 0; row < sequences.size(); row++) {
      int[] sequence = sequences.get(row);
      for (int i = 0; sequence != null && i < sequence.length; i++) {
        padded[row * longest + i] = sequence[i];
      }
    }
    return padded;
  }

  /** Number of sequences. */
  public int size() {
    return lengths.length;
  }

  /** Tokens of a padded row. */
  public int longest() {
    return ids.length / lengths.length;
  }
}

package dev.graft.server.backbones;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Token ids of several sequences, one after the other without padding.
 *
 * @param ids {@code [tokens]} of all sequences
 * @param typeIds segments, likewise; null when all are 0
 * @param lengths tokens of each sequence, at least 1
 * @param rows whose hidden states are asked for
 */
public record TokenBatch(long[] ids, long[] typeIds, int[] lengths, Rows rows) {
  /**
   * Puts sequences one after the other. {@code typeIds} has null where a sequence's segments are
   * all 0.
   */
  public static TokenBatch of(List<int[]> ids, List<int[]> typeIds, Rows rows) {
    boolean typed = false;
    List<int[]> segments = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      int[] own = typeIds.get(i);
      typed |= own != null;
      segments.add(own != null ? own : new int[ids.get(i).length]);
    }
    return new TokenBatch(
        packed(ids),
        typed ? packed(segments) : null,
        ids.stream().mapToInt(sequence -> sequence.length).toArray(),
        rows);
  }

  private static long[] packed(List<int[]> sequences) {
    return sequences.stream().flatMapToInt(Arrays::stream).asLongStream().toArray();
  }

  /** Number of sequences. */
  public int size() {
    return lengths.length;
  }

  /** Tokens of the longest sequence. */
  public int longest() {
    return Arrays.stream(lengths).max().orElseThrow();
  }
}

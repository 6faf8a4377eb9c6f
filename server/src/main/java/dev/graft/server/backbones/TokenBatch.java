package dev.graft.server.backbones;

import dev.graft.server.torch.Kernel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Token ids of several sequences, one after the other without padding.
 *
 * @param ids {@code [tokens]} of all sequences, then those of the filler, if any
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

  /**
   * The same with up to a sixteenth of filler behind it: tokens that no sequence has, so that their
   * number is one of 16 between powers of two. oneDNN makes code for each number of rows, in a
   * millisecond, and keeps what it made for the last 1,024 products; with their own numbers batches
   * would hardly ever find theirs. Not for fbgemm, whose scales are those of all rows.
   */
  TokenBatch filledFor(Kernel kernel) {
    if (kernel == Kernel.FBGEMM) {
      return this;
    }
    int step = Math.max(1, Integer.highestOneBit(ids.length) / 16);
    int tokens = (ids.length + step - 1) / step * step;
    return new TokenBatch(
        Arrays.copyOf(ids, tokens),
        typeIds == null ? null : Arrays.copyOf(typeIds, tokens),
        lengths,
        rows);
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

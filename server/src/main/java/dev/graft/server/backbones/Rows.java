package dev.graft.server.backbones;

/** Which tokens' hidden states are asked for. */
public enum Rows {
  ALL,
  /** The first of each sequence. */
  FIRST,
  /** The last of each sequence. */
  LAST;

  /** Their numbers among all tokens, except for {@link #ALL}. */
  long[] numbers(int[] lengths) {
    long[] numbers = new long[lengths.length];
    long start = 0;
    for (int i = 0; i < lengths.length; i++) {
      numbers[i] = this == FIRST ? start : start + lengths[i] - 1;
      start += lengths[i];
    }
    return numbers;
  }
}

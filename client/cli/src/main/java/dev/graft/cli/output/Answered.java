package dev.graft.cli.output;

import java.io.IOException;
import java.util.BitSet;

/** Which items have been answered, so that none is missing and none is answered twice. */
final class Answered {
  private final BitSet numbers = new BitSet();
  private long count;

  void add(long number) throws IOException {
    int index = Math.toIntExact(number);
    if (numbers.get(index)) {
      throw new IOException("the worker answered item " + number + " twice");
    }
    numbers.set(index);
    count++;
  }

  void requireAll(long items) throws IOException {
    if (count != items) {
      throw new IOException(
          "the worker answered "
              + count
              + " of "
              + items
              + " items; the first without answer is number "
              + numbers.nextClearBit(0));
    }
  }
}

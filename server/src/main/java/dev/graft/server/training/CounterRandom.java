package dev.graft.server.training;

/**
 * Random numbers that are a function of a key and a counter (SplitMix64), so that any of them can
 * be had again without those before it.
 *
 * @param key what the numbers are for
 */
record CounterRandom(long key) {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  /** What a sequence of numbers is for. */
  enum Purpose {
    INITIALIZATION(1),
    ORDER(2),
    DROPOUT(3);

    private final int number;

    Purpose(int number) {
      this.number = number;
    }
  }

  /** A sequence of its own for each combination of arguments. */
  static CounterRandom of(long seed, Purpose purpose, long... path) {
    long key = mix(seed + purpose.number * GOLDEN);
    for (long part : path) {
      key = mix(key ^ mix(part + GOLDEN));
    }
    return new CounterRandom(key);
  }

  long bits(long counter) {
    return mix(key + (counter + 1) * GOLDEN);
  }

  /** From 0 to below 1, in steps of 2^-24. */
  float uniform(long counter) {
    return (bits(counter) >>> 40) * 0x1p-24f;
  }

  /** From 0 to below {@code bound}. */
  private int below(long counter, int bound) {
    // The high half of a 64 by 32 bit product; the bias is below 2^-32.
    return (int) (((bits(counter) >>> 32) * bound) >>> 32);
  }

  /** The numbers from 0 to below {@code size} in random order. */
  long[] permutation(int size) {
    long[] order = new long[size];
    for (int i = 0; i < size; i++) {
      int other = below(i, i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    return order;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}

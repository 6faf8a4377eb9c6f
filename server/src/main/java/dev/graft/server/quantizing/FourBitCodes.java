package dev.graft.server.quantizing;

import java.util.Comparator;
import java.util.stream.IntStream;

/** The values that a type of 4 bits has, and which of them is the nearest. */
final class FourBitCodes {
  /** Number of codes. */
  static final int COUNT = 16;

  private static final FourBitCodes NF4 =
      new FourBitCodes(
          -1,
          -0.6961928009986877,
          -0.5250730514526367,
          -0.39491748809814453,
          -0.28444138169288635,
          -0.18477343022823334,
          -0.09105003625154495,
          0,
          0.07958029955625534,
          0.16093020141124725,
          0.24611230194568634,
          0.33791524171829224,
          0.44070982933044434,
          0.5626170039176941,
          0.7229568362236023,
          1);

  /** Code 8 is a second zero. */
  private static final FourBitCodes FP4 =
      new FourBitCodes(
          0,
          0.0625 / 12,
          8 / 12.,
          1,
          4 / 12.,
          6 / 12.,
          2 / 12.,
          3 / 12., //
          0,
          -0.0625 / 12,
          -8 / 12.,
          -1,
          -4 / 12.,
          -6 / 12.,
          -2 / 12.,
          -3 / 12.);

  private final float[] values = new float[COUNT];

  /** Codes by ascending value. */
  private final byte[] sorted = new byte[COUNT];

  /** Between values that are neighbours when sorted: the middle, rounded to a float. */
  private final float[] bounds = new float[COUNT - 1];

  private FourBitCodes(double... exact) {
    int[] order =
        IntStream.range(0, COUNT)
            .boxed()
            .sorted(Comparator.comparingDouble(code -> exact[code]))
            .mapToInt(Integer::intValue)
            .toArray();
    for (int i = 0; i < COUNT; i++) {
      values[i] = (float) exact[i];
      sorted[i] = (byte) order[i];
    }
    for (int i = 0; i < COUNT - 1; i++) {
      bounds[i] = (values[order[i]] + values[order[i + 1]]) / 2;
    }
  }

  static FourBitCodes of(FourBitType type) {
    return switch (type) {
      case NF4 -> NF4;
      case FP4 -> FP4;
    };
  }

  /** The value of each code. */
  float[] values() {
    return values.clone();
  }

  /**
   * The code of the value nearest to {@code x}; a tie goes to the lower value, NaN to the highest.
   */
  int nearest(float x) {
    // A search in four steps for the number of bounds below x.
    int below = x <= bounds[7] ? 0 : 8;
    below += x <= bounds[below + 3] ? 0 : 4;
    below += x <= bounds[below + 1] ? 0 : 2;
    below += x <= bounds[below] ? 0 : 1;
    return sorted[below];
  }
}

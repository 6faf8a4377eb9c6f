package dev.graft.server.quantizing;

import java.util.Comparator;
import java.util.stream.IntStream;

/** The values that a type of 4 bits has, and which of them is the nearest. */
final class FourBitCodes {
  /** Number of codes. */
  static final int COUNT = 16;

  /** Parts of [-4, 4), so small that no two bounds are in one. */
  private static final int CELLS = 4096;

  private static final float CELLS_A_UNIT = 512;

  /** So large that what is added to it is rounded to whole numbers, its last bits: 0 for -4. */
  private static final float ROUNDING = 0x1.8p23f + CELLS / 2;

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

  /** For each cell: the code of values up to its bound, and that of those above. */
  private final byte[] codes = new byte[2 * CELLS];

  /** The one bound that values of a cell may be on both sides of. */
  private final float[] cellBounds = new float[CELLS];

  private FourBitCodes(double... exact) {
    int[] order =
        IntStream.range(0, COUNT)
            .boxed()
            .sorted(Comparator.comparingDouble(code -> exact[code]))
            .mapToInt(Integer::intValue)
            .toArray();
    for (int i = 0; i < COUNT; i++) {
      values[i] = (float) exact[i];
    }
    // Between values that are neighbours when sorted: the middle, rounded to a float.
    float[] bounds = new float[COUNT - 1];
    for (int i = 0; i < COUNT - 1; i++) {
      bounds[i] = (values[order[i]] + values[order[i + 1]]) / 2;
    }
    int below = 0; // bounds that are below all values of the cell, since cells ascend as values do
    for (int cell = 0; cell < CELLS; cell++) {
      boolean divided = below < bounds.length && cell(bounds[below]) == cell;
      cellBounds[cell] = divided ? bounds[below] : Float.POSITIVE_INFINITY;
      codes[2 * cell] = (byte) order[below];
      below += divided ? 1 : 0;
      codes[2 * cell + 1] = (byte) order[below];
    }
  }

  /** Ascends as {@code x} does, and takes half of a conversion to int. */
  private static int cell(float x) {
    return Float.floatToRawIntBits(x * CELLS_A_UNIT + ROUNDING) & (CELLS - 1);
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
   * The code of the value nearest to {@code x}, a number from -4 to below 4; a tie goes to the
   * lower value, NaN to the highest.
   */
  int nearest(float x) {
    // A table and one comparison: a search would have branches that nothing predicts.
    int cell = Float.isNaN(x) ? CELLS - 1 : cell(x);
    return codes[2 * cell + (x > cellBounds[cell] ? 1 : 0)];
  }
}

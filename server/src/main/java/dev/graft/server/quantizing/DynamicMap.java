package dev.graft.server.quantizing;

import java.util.ArrayList;
import java.util.List;

/**
 * The 256 values of bitsandbytes' signed dynamic type (https://arxiv.org/abs/1511.04561), in which
 * scales are quantized: 0, 1, and both signs of 2^i values between 0.1 and 1 times 10^(i-6), for i
 * from 0 to 6.
 */
final class DynamicMap {
  private static final int EXPONENTS = 7;

  /** Entries of the table through which the reference looks values from -1 to 1 up. */
  private static final int POSITIONS = 1 << 16;

  private static final float[] VALUES = makeValues();
  private static final byte[] CODES = makeCodes();

  private DynamicMap() {}

  /** Ascending. */
  static float[] values() {
    return VALUES.clone();
  }

  /**
   * The code of a number from -1 to 1 as the reference finds it: that of the value nearest to its
   * position among {@value POSITIONS}. Not always the value nearest to the number. NaN has code 0.
   */
  static byte code(float x) {
    return CODES[(int) ((x + 1) * 0.5f * (POSITIONS - 1) + 0.5f)];
  }

  private static float[] makeValues() {
    List<Float> values = new ArrayList<>(List.of(0f, 1f));
    for (int i = 0; i < EXPONENTS; i++) {
      int count = 1 << i;
      float scale = (float) Math.pow(10, i - (EXPONENTS - 1));
      for (int j = 0; j < count; j++) {
        float value = scale * ((boundary(j, count) + boundary(j + 1, count)) / 2);
        values.add(value);
        values.add(-value);
      }
    }
    float[] sorted = new float[values.size()];
    values.sort(null);
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = values.get(i);
    }
    return sorted;
  }

  /** Of {@code count} equal parts of [0.1, 1], as torch.linspace computes it: from both ends. */
  private static float boundary(int index, int count) {
    float step = (1 - 0.1f) / count;
    return index < (count + 1) / 2
        ? Math.fma(step, index, 0.1f)
        : Math.fma(-step, count - index, 1f);
  }

  private static byte[] makeCodes() {
    byte[] codes = new byte[POSITIONS];
    int code = 0;
    for (int i = 0; i < POSITIONS; i++) {
      float x = (float) (i * (2. / (POSITIONS - 1)) - 1);
      while (code + 1 < VALUES.length && (VALUES[code] + VALUES[code + 1]) / 2 < x) {
        code++;
      }
      codes[i] = (byte) code;
    }
    return codes;
  }
}

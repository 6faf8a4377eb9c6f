package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FourBitCodesTest {
  /** Of all values, by their distances. */
  private static float nearestValue(float[] values, float x) {
    float[] sorted = values.clone();
    Arrays.sort(sorted);
    int below = 0;
    while (below < 15 && !(x <= (sorted[below] + sorted[below + 1]) / 2)) {
      below++;
    }
    return sorted[below];
  }

  @ParameterizedTest
  @EnumSource
  void aCodeIsThatOfTheNearestValue(FourBitType type) {
    FourBitCodes codes = FourBitCodes.of(type);
    float[] values = codes.values();
    Random random = new Random(0);
    for (int i = 0; i < 100_000; i++) {
      check(codes, values, random.nextFloat() * 2 - 1);
    }
    for (float x : new float[] {-2, -1, -0f, 0, 1, 2, Math.nextUp(1f), Float.NaN}) {
      check(codes, values, x);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTieGoesToTheLowerValue(FourBitType type) {
    FourBitCodes codes = FourBitCodes.of(type);
    float[] values = codes.values();
    float[] sorted = values.clone();
    Arrays.sort(sorted);
    for (int i = 0; i < 15; i++) {
      float middle = (sorted[i] + sorted[i + 1]) / 2;
      assertThat(values[codes.nearest(middle)]).isEqualTo(sorted[i]);
      check(codes, values, Math.nextDown(middle));
      check(codes, values, Math.nextUp(middle));
    }
  }

  private static void check(FourBitCodes codes, float[] values, float x) {
    assertThat(values[codes.nearest(x)]).as("%s", x).isEqualTo(nearestValue(values, x));
  }
}

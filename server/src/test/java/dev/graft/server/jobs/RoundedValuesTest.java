package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.HalfFloats;
import dev.graft.server.checkpoints.StoredType;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoundedValuesTest {
  private static final int COUNT = 203_203; // three pieces and a part

  /** Value {@code i} is a number of its own that no type of 16 bits has. */
  private static float value(long i) {
    return 1 + i * 0x1p-23f;
  }

  private static final class Counted implements SourceValues {
    @Override
    public void read(long from, float[] target, int count) {
      assertThat(count).isBetween(1, MOST_AT_ONCE);
      for (int i = 0; i < count; i++) {
        target[i] = value(from + i);
      }
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @CsvSource({"F32, 1001", "F32, 65536", "F32, 203203", "F16, 1001", "BF16, 70000"})
  void allValuesComeOnceAndRounded(StoredType type, int atOnce) throws IOException {
    RoundedValues values = new RoundedValues(new Counted(), COUNT, type);
    float[] piece = new float[atOnce];
    for (int from = 0; from < COUNT; from += atOnce) {
      int count = Math.min(atOnce, COUNT - from);
      values.read(piece, count);
      for (int i = 0; i < count; i++) {
        assertThat(piece[i]).isEqualTo(rounded(type, value(from + i)));
      }
    }
  }

  private static float rounded(StoredType type, float value) {
    return switch (type) {
      case F16 -> HalfFloats.fromFloat16(HalfFloats.toFloat16(value));
      case BF16 -> HalfFloats.fromBfloat16(HalfFloats.toBfloat16(value));
      default -> value;
    };
  }
}

package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CascadeSumTest {
  /** Numbers of values, and the bits of torch.mean of them (PyTorch 2.15 on x86-64, one thread). */
  @ParameterizedTest
  @CsvSource({
    "1, 0x00000000",
    "7, 0x3ed9df22",
    "8, 0x3ed38453",
    "33, 0x3efd3cca",
    "1000, 0x3efffce6",
    "9001, 0x3efff323",
    "40000, 0x3effff23",
    "300001, 0x3effffb1",
    "1200000, 0x3effffe8",
  })
  void meanHasTheBitsOfTorch(int count, String bits) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = ((i * 0x9e3779b1) >>> 8) * 0x1p-24f; // scattered over [0, 1), and exact
    }
    assertThat(Float.floatToIntBits(CascadeSum.mean(values)))
        .isEqualTo(Integer.decode(bits).intValue());
  }
}

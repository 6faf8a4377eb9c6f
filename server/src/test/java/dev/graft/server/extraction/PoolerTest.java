package dev.graft.server.extraction;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TestDevice;
import org.junit.jupiter.api.Test;

class PoolerTest {
  /** Two sequences of 2 and 3 tokens. */
  private static final float[] ALL = {1, -5, 3, -1, 2, 2, -4, 8, 5, 5};

  private static final float[] ONE_EACH = {3, -1, 5, 5};

  private static final int[] LENGTHS = {2, 3};

  @Test
  void poolsEachSequence() {
    assertThat(pool(ONE_EACH, Pooling.LAST, false)).containsExactly(ONE_EACH);
    assertThat(pool(ONE_EACH, Pooling.CLS, false)).containsExactly(ONE_EACH);
    assertThat(pool(ALL, Pooling.MEAN, false)).containsExactly(2, -3, 1, 5);
    assertThat(pool(ALL, Pooling.MAX, false)).containsExactly(3, -1, 5, 8);
    assertThat(pool(ALL, Pooling.NONE, false)).containsExactly(ALL);
  }

  @Test
  void normalizesEachRow() {
    float[] rows = pool(ALL, Pooling.NONE, true);
    for (int i = 0; i < rows.length; i += 2) {
      assertThat(Math.hypot(rows[i], rows[i + 1])).isBetween(1 - 1e-6, 1 + 1e-6);
    }
  }

  private static float[] pool(float[] values, Pooling pooling, boolean normalize) {
    try (Scope scope = Scope.open(TestDevice.DEVICE);
        Pooler pooler = new Pooler(TestDevice.DEVICE)) {
      Tensor hidden = scope.floats(values, values.length / 2, 2);
      return pooler.pool(scope, hidden, LENGTHS, pooling, normalize).toFloats();
    }
  }
}

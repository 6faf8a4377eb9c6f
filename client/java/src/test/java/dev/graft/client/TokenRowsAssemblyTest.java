package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.v1.ItemResult;
import org.junit.jupiter.api.Test;

class TokenRowsAssemblyTest {
  private final TokenRowsAssembly assembly = new TokenRowsAssembly(64);

  @Test
  void partsMayComeInAnyOrder() throws ContractBreach {
    assertThat(assembly.add(part(1, 3, 4, 30))).isEmpty();
    assertThat(assembly.add(part(1, 0, 4, 0))).isEmpty();
    ItemResult whole = assembly.add(part(1, 1, 4, 10, 20)).orElseThrow();
    assertThat(Tensors.toFloats(whole.getFeatures())).containsExactly(0, 0, 10, 10, 20, 20, 30, 30);
    assertThat(whole.getFeatures().getShapeList()).containsExactly(4L, 2L);
    assertThat(whole.getFirstRow()).isZero();
    assembly.finish();
  }

  @Test
  void aMissingPartIsNoticedAtTheEnd() throws ContractBreach {
    assembly.add(part(5, 0, 2, 1));
    assertThatThrownBy(assembly::finish).hasMessageContaining("item 5 was not sent completely");
  }

  @Test
  void partsLieWithinTheItem() {
    assertRefused(part(2, 2, 3, 1, 2), "outside its 3 rows");
    assertRefused(part(2, 0, 3), "outside its 3 rows");
  }

  @Test
  void partsMustNotOverlap() throws ContractBreach {
    assembly.add(part(1, 0, 3, 1, 2));
    assertRefused(part(1, 1, 3, 1), "do not fit together at row 2");
  }

  @Test
  void partsMustNotRepeat() throws ContractBreach {
    assembly.add(part(1, 0, 3, 1, 2));
    assertRefused(part(1, 0, 3, 1), "two parts at row 0");
  }

  @Test
  void shapesAreChecked() {
    ItemResult flat =
        part(1, 0, 2, 1).toBuilder().setFeatures(Tensors.fromFloats(new float[2], 2)).build();
    assertRefused(flat, "features of shape [2]");
    ItemResult.Builder lying = part(1, 0, 2, 1).toBuilder();
    lying.getFeaturesBuilder().setShape(0, 2);
    assertRefused(lying.build(), "malformed features");
  }

  @Test
  void whatWaitsIsBounded() throws ContractBreach {
    for (int number = 0; number < 8; number++) {
      assembly.add(part(number, 0, 2, 1)); // 8 bytes each
    }
    assertRefused(part(8, 0, 2, 1), "more than 64 bytes");
  }

  private void assertRefused(ItemResult part, String message) {
    assertThatThrownBy(() -> assembly.add(part))
        .isInstanceOf(ContractBreach.class)
        .hasMessageContaining(message);
  }

  /** A part with rows of two equal values each. */
  private static ItemResult part(long number, int firstRow, int tokens, float... rows) {
    float[] values = new float[2 * rows.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = rows[i / 2];
    }
    return ItemResult.newBuilder()
        .setNumber(number)
        .setFirstRow(firstRow)
        .setTokens(tokens)
        .setFeatures(Tensors.fromFloats(values, rows.length, 2))
        .build();
  }
}

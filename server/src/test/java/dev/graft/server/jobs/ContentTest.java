package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.server.GraftException;
import org.junit.jupiter.api.Test;

class ContentTest {
  private static final int[] NONE = {};
  private static final ItemPlace PLACE = ItemPlace.content("items", -1);

  @Test
  void paddingIsDroppedOnEitherSide() {
    Content.TokenIds tokens =
        Content.tokenIds(
            PLACE,
            new int[] {9, 9, 1, 2, 3, 9},
            new int[] {0, 0, 1, 1, 1, 0},
            new int[] {0, 0, 0, 1, 1, 0});
    assertThat(tokens.ids()).containsExactly(1, 2, 3);
    assertThat(tokens.typeIds()).containsExactly(0, 1, 1);
  }

  @Test
  void withoutMaskAllAreReal() {
    Content.TokenIds tokens = Content.tokenIds(PLACE, new int[] {4, 0}, NONE, new int[] {0, 0});
    assertThat(tokens.ids()).containsExactly(4, 0);
    assertThat(tokens.typeIds()).isNull();
  }

  @Test
  void whatIsNoSequenceIsRefused() {
    refused("at least one", NONE, NONE, NONE);
    refused("2 values for 3 ids", new int[3], new int[2], NONE);
    refused("1 values for 3 ids", new int[3], NONE, new int[1]);
    refused("no 1", new int[2], new int[2], NONE);
    refused("unbroken", new int[3], new int[] {1, 0, 1}, NONE);
    refused("is 7", new int[3], new int[] {1, 7, 1}, NONE);
  }

  private static void refused(String message, int[] ids, int[] mask, int[] types) {
    assertThatThrownBy(() -> Content.tokenIds(PLACE, ids, mask, types))
        .isInstanceOf(GraftException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("items[18446744073709551615].content.token_ids");
  }
}

package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.Serialization;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** How a job that could not go on says what is missing. */
class IncompleteJobExceptionTest {
  @Test
  void numbersAreNamedInRanges() {
    assertThat(new IncompleteJobException("lost", List.of(3L, 4L, 5L, 9L), true, null))
        .hasMessage(
            "lost; missing are 4 items: 3-5, 9 and all items after them, which were not read");
    assertThat(new IncompleteJobException("lost", List.of(-1L), false, null))
        .hasMessage("lost; missing are 1 items: 18446744073709551615");
    assertThat(new IncompleteJobException("lost", List.of(), true, null))
        .hasMessage("lost; missing are all items that were not read");
  }

  @Test
  void theMessageIsBounded() {
    List<Long> odd = LongStream.range(0, 100_000).map(i -> 2 * i + 1).boxed().toList();
    IncompleteJobException incomplete =
        new IncompleteJobException("x".repeat(100_000), odd, true, null);
    assertThat(incomplete.getMessage()).hasSizeLessThan(2_000).contains("and 99980 more");
    assertThat(incomplete.missingItems()).isEqualTo(odd);
  }

  @Test
  void itemsOfATrainingAreNamedAsSuch() {
    IncompleteJobException incomplete =
        new IncompleteJobException("lost", List.of(0L, 1L), false, null)
            .ofTraining(List.of(7L, 8L), List.of(7L));
    assertThat(incomplete)
        .hasMessage("lost; missing are 2 training items: 7-8; missing are 1 evaluation items: 7");
    assertThat(incomplete.missingItems()).containsExactly(7L, 8L, 7L);
  }

  @Test
  void itCanTravel() throws Exception {
    IncompleteJobException copy =
        Serialization.copy(
            new IncompleteJobException(
                "lost", List.of(1L, 2L), true, new IllegalStateException("why")));
    assertThat(copy).hasMessageContaining("1-2").hasCauseInstanceOf(IllegalStateException.class);
    assertThat(copy.missingItems()).containsExactly(1L, 2L);
  }
}

package dev.graft.server.extraction;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatcherTest {
  @Test
  void batchesAreSortedByLengthAndKeepToTheBudget() {
    Batcher batcher = new Batcher(20, 100);
    List<List<TokenizedItem>> batches = new ArrayList<>();
    int[] lengths = {3, 9, 5, 5, 30, 2, 8};
    for (int i = 0; i < lengths.length; i++) {
      batches.addAll(batcher.add(item(i, lengths[i])));
    }
    batches.addAll(batcher.flush());
    assertThat(batches).flatExtracting(batch -> batch).hasSize(lengths.length);
    for (List<TokenizedItem> batch : batches) {
      int longest = batch.get(0).ids().length;
      assertThat(batch).allMatch(item -> item.ids().length <= longest);
      assertThat(batch.size() == 1 || tokens(batch) <= 20).isTrue();
    }
    assertThat(batches).extracting(BatcherTest::tokens).containsExactly(30, 17, 10, 5);
  }

  @Test
  void shortItemsAreNotPaddedToALongOne() {
    Batcher batcher = new Batcher(40, 100);
    batcher.add(item(0, 20));
    for (int i = 1; i <= 30; i++) {
      batcher.add(item(i, 2));
    }
    assertThat(batcher.flush()).extracting(List::size).containsExactly(4, 14, 7, 6);
  }

  @Test
  void aWindowHasNoSmallBatchesUnlessNothingFollows() {
    Batcher batcher = new Batcher(100, 100);
    List<List<TokenizedItem>> batches = List.of();
    for (int i = 0; batches.isEmpty(); i++) {
      batches = batcher.add(item(i, 9));
    }
    assertThat(batches).extracting(BatcherTest::tokens).allMatch(tokens -> tokens >= 80);
    for (int i = 0; i < 30; i++) {
      batcher.add(item(i, 9));
    }
    assertThat(batcher.flush()).extracting(BatcherTest::tokens).containsExactly(90, 90, 45, 45);
  }

  @Test
  void theFirstWindowsAreSmall() {
    Batcher batcher = new Batcher(10, 100);
    List<Integer> ends = new ArrayList<>();
    for (int i = 1; i <= 200; i++) {
      if (!batcher.add(item(i, 5)).isEmpty()) {
        ends.add(i);
      }
    }
    assertThat(ends).containsExactly(16, 48, 112);
  }

  @Test
  void manyShortItemsAreSeveralBatches() {
    Batcher batcher = new Batcher(100, 4);
    for (int i = 0; i < 10; i++) {
      batcher.add(item(i, 1));
    }
    assertThat(batcher.flush()).extracting(List::size).containsExactly(4, 4, 2);
  }

  @Test
  void anEmptyWindowHasNoBatches() {
    assertThat(new Batcher(10, 100).flush()).isEmpty();
  }

  private static int tokens(List<TokenizedItem> batch) {
    return batch.stream().mapToInt(item -> item.ids().length).sum();
  }

  private static TokenizedItem item(int slot, int length) {
    return new TokenizedItem(slot, new int[length], null, 0);
  }
}

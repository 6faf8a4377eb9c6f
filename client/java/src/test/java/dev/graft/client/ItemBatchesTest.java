package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.v1.Item;
import dev.graft.v1.ItemBatch;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ItemBatchesTest {
  private static final MessageSizes SIZES = new MessageSizes(1 << 20);

  @Test
  void messagesAreFilledButNotOverfilled() {
    Iterable<Item> items = Items.texts(Collections.nCopies(1000, "x".repeat(1000)));
    List<ItemBatch> batches = ItemBatches.stream(items, SIZES).toList();
    assertThat(batches).hasSize(4);
    assertThat(batches).allMatch(batch -> batch.getSerializedSize() < 300 << 10);
    assertThat(batches.stream().flatMap(batch -> batch.getItemsList().stream()))
        .containsExactlyElementsOf(items);
  }

  @Test
  void aLargeItemTravelsAlone() {
    List<Item> items =
        List.of(Items.text(0, "a"), Items.text(1, "x".repeat(900_000)), Items.text(2, "b"));
    assertThat(ItemBatches.stream(items, SIZES))
        .extracting(ItemBatch::getItemsCount)
        .containsExactly(1, 1, 1);
  }

  @Test
  void nothingIsPulledBeforeItIsAskedFor() {
    AtomicLong pulled = new AtomicLong();
    Iterable<Item> items =
        () -> {
          pulled.incrementAndGet();
          return Collections.emptyIterator();
        };
    Iterator<ItemBatch> batches = ItemBatches.stream(items, SIZES).iterator();
    assertThat(pulled).hasValue(0);
    assertThat(batches.hasNext()).isFalse();
  }

  @Test
  void aFlushIsAMessageOfItsOwn() {
    List<Item> items =
        List.of(Items.FLUSH, Items.text(0, "a"), Items.text(1, "b"), Items.FLUSH, Items.FLUSH);
    assertThat(ItemBatches.stream(items, SIZES))
        .extracting(ItemBatch::getItemsCount)
        .containsExactly(0, 2, 0, 0);
  }

  @Test
  void aSlowSourceGetsSmallMessages() {
    AtomicLong nanos = new AtomicLong();
    Iterator<Item> items = Items.texts(Collections.nCopies(6, "text")).iterator();
    ItemBatches batches =
        new ItemBatches(items, SIZES, () -> nanos.getAndAdd(TimeUnit.MILLISECONDS.toNanos(10)));
    assertThat(batches.next().getItemsCount()).isEqualTo(2);
    assertThat(batches.next().getItemsCount()).isEqualTo(2);
    assertThat(batches.next().getItemsCount()).isEqualTo(2);
    assertThat(batches.hasNext()).isFalse();
  }
}

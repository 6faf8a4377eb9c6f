package dev.graft.client;

import dev.graft.v1.Item;
import dev.graft.v1.ItemBatch;
import io.grpc.Status;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Items gathered into messages, pulled only when the next message is asked for. A message is full
 * at a number of bytes, or when its first item has waited for a while: a slow source should not
 * hold back what it has given already. {@link Items#FLUSH} becomes a message without items.
 */
final class ItemBatches implements Iterator<ItemBatch> {
  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Iterator<? extends Item> items;
  private final MessageSizes sizes;
  private final LongSupplier nanoTime;
  private Item held;

  /** The items as messages. Not even the iterator is asked for before the first message is. */
  static Stream<ItemBatch> stream(Iterable<? extends Item> items, MessageSizes sizes) {
    return StreamSupport.stream(
        () ->
            Spliterators.spliteratorUnknownSize(
                new ItemBatches(items.iterator(), sizes, System::nanoTime), Spliterator.ORDERED),
        Spliterator.ORDERED,
        false);
  }

  ItemBatches(Iterator<? extends Item> items, MessageSizes sizes, LongSupplier nanoTime) {
    this.items = items;
    this.sizes = sizes;
    this.nanoTime = nanoTime;
  }

  @Override
  public boolean hasNext() {
    return held != null || items.hasNext();
  }

  @Override
  public ItemBatch next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    ItemBatch.Builder batch = ItemBatch.newBuilder();
    long begun = nanoTime.getAsLong();
    long bytes = 0;
    do {
      Item item = held == null ? checked(items.next()) : held;
      held = null;
      if (Items.isFlush(item)) {
        held = bytes > 0 ? item : null;
        return batch.build();
      }
      if (bytes > 0 && bytes + item.getSerializedSize() > sizes.goodBytes()) {
        held = item;
        return batch.build();
      }
      batch.addItems(item);
      bytes += item.getSerializedSize();
    } while (bytes < sizes.goodBytes()
        && nanoTime.getAsLong() - begun < PATIENCE_NANOS
        && items.hasNext());
    return batch.build();
  }

  private Item checked(Item item) {
    if (item.getSerializedSize() > sizes.maxItemBytes()) {
      throw new InvalidRequestException(
          Failure.found(
                  Status.Code.INVALID_ARGUMENT,
                  "ITEM_TOO_LARGE",
                  ("item %s has %d bytes, but one message carries at most %d; split its text, or"
                          + " raise the message limit of client and worker")
                      .formatted(
                          Long.toUnsignedString(item.getNumber()),
                          item.getSerializedSize(),
                          sizes.maxItemBytes()))
              .with("item", Long.toUnsignedString(item.getNumber())));
    }
    return item;
  }
}

package dev.graft.client;

import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Remembers the order of items that pass by, to put their results into it. */
final class ItemOrder {
  private final List<Long> numbers = new ArrayList<>();
  private final Map<Long, ItemResult> results = new HashMap<>();

  /** The same items; the order is known when they have all been taken. */
  Iterable<Item> watch(Iterable<? extends Item> items) {
    return () -> {
      Iterator<? extends Item> source = items.iterator();
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return source.hasNext();
        }

        @Override
        public Item next() {
          Item item = source.next();
          if (!Items.isFlush(item)) {
            remember(item.getNumber());
          }
          return item;
        }
      };
    };
  }

  // Items pass on one thread and results on others.
  private synchronized void remember(long number) {
    numbers.add(number);
  }

  synchronized void add(ItemResult result) {
    results.put(result.getNumber(), result);
  }

  /** One result for each item, in the items' order. */
  synchronized List<ItemResult> orderedResults() {
    List<ItemResult> ordered = new ArrayList<>(numbers.size());
    for (long number : numbers) {
      ItemResult result = results.remove(number);
      if (result == null) {
        throw new InvalidRequestException(
            Failure.found(
                    Status.Code.INVALID_ARGUMENT,
                    "DUPLICATE_NUMBER",
                    "number %s has no result of its own; give each item a number of its own"
                        .formatted(Long.toUnsignedString(number)))
                .with("item", Long.toUnsignedString(number)));
      }
      ordered.add(result);
    }
    return ordered;
  }
}

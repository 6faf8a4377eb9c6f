package dev.graft.client.pool;

import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** A job's shards until their results are delivered, each once, in the order that was asked for. */
final class UndeliveredShards {
  private final ResultOrder order;
  private final Consumer<List<ItemResult>> delivery;
  private final TreeMap<Long, ShardWork> shards = new TreeMap<>();

  UndeliveredShards(ResultOrder order, Consumer<List<ItemResult>> delivery) {
    this.order = order;
    this.delivery = delivery;
  }

  void add(ShardWork work) {
    shards.put(work.shard().number(), work);
  }

  /** In the order of their items. */
  Collection<ShardWork> all() {
    return shards.values();
  }

  boolean isEmpty() {
    return shards.isEmpty();
  }

  /** The numbers of their items. */
  List<Long> items() {
    return shards.values().stream()
        .flatMap(work -> work.shard().items().stream())
        .map(Item::getNumber)
        .toList();
  }

  /** Delivers what is done and whose turn it is. */
  void deliver() {
    Iterator<ShardWork> oldestFirst = shards.values().iterator();
    while (oldestFirst.hasNext()) {
      Optional<List<ItemResult>> results = oldestFirst.next().results();
      if (results.isPresent()) {
        oldestFirst.remove();
        delivery.accept(results.get());
      } else if (order == ResultOrder.OF_ITEMS) {
        break;
      }
    }
  }
}

package dev.graft.client.pool;

import dev.graft.v1.Content;
import dev.graft.v1.Item;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Cuts items into shards as they are asked for. Where shards end depends on the items alone, so
 * that the bytes of features do not depend on the workers. There is at least one shard, possibly an
 * empty one: its call still checks the spec.
 */
final class ShardCutter implements Iterator<Shard> {
  /** Bytes of text in a token, about; only the size of shards depends on it. */
  private static final int BYTES_PER_TOKEN = 4;

  private static final int BYTES_PER_PRECOMPUTED_TOKEN = 4_096;

  private final Iterator<? extends Item> items;
  private final int mostTokens;
  private final int mostItems;
  private Item held; // the first of the next shard; null if it is not read yet
  private long number;

  ShardCutter(Iterator<? extends Item> items, int mostTokens, int mostItems) {
    this.items = items;
    this.mostTokens = mostTokens;
    this.mostItems = mostItems;
  }

  @Override
  public boolean hasNext() {
    return number == 0 || held != null || items.hasNext();
  }

  @Override
  public Shard next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    List<Item> shard = new ArrayList<>();
    long tokens = 0;
    while (shard.size() < mostItems && (held != null || items.hasNext())) {
      Item item = held == null ? items.next() : held;
      held = null;
      long more = tokens(item.getContent());
      if (!shard.isEmpty() && tokens + more > mostTokens) {
        held = item;
        break;
      }
      shard.add(item);
      tokens += more;
    }
    return new Shard(number++, List.copyOf(shard), tokens);
  }

  /** About how many tokens it has; at least 1. */
  static long tokens(Content content) {
    return switch (content.getKindCase()) {
      case TOKEN_IDS -> Math.max(1, content.getTokenIds().getIdsCount());
      case TEXT -> 1 + content.getTextBytes().size() / BYTES_PER_TOKEN;
      case FEATURES -> 1 + content.getFeatures().getData().size() / BYTES_PER_PRECOMPUTED_TOKEN;
      case KIND_NOT_SET -> 1; // the worker says what is wrong with it
    };
  }
}

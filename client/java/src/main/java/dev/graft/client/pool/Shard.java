package dev.graft.client.pool;

import dev.graft.v1.Item;
import java.util.List;

/**
 * Consecutive items that one call computes.
 *
 * @param number counted from 0
 * @param items the items, in order
 * @param tokens what they will cost, as estimated
 */
record Shard(long number, List<Item> items, long tokens) {}

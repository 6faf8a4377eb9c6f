package dev.graft.cli.output;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The ids of items that have some, by number. Filled by the thread that sends items, emptied by the
 * one that takes results, so that no more ids are held than items are under way.
 */
public final class ItemNames {
  private final Map<Long, String> ids = new ConcurrentHashMap<>();

  /** Remembers an id until its item is taken. */
  public void put(long number, String id) {
    ids.put(number, id);
  }

  /** An item's id, or its number as text; afterwards it is forgotten. */
  String take(long number) {
    String id = ids.remove(number);
    return id == null ? Long.toString(number) : id;
  }
}

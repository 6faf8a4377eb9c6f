package dev.graft.client.pool;

import java.util.ArrayList;
import java.util.List;

/** A job that could not go on. What it had given before is right, but not all. */
public final class IncompleteJobException extends RuntimeException {
  private static final int MOST_NAMED = 20;

  private final transient List<Long> missingItems;

  IncompleteJobException(String why, List<Long> missingItems, boolean moreToRead, Throwable cause) {
    super(why + "; " + missing(missingItems, moreToRead), cause);
    this.missingItems = List.copyOf(missingItems);
  }

  IncompleteJobException(String message, Throwable causeOrNull) {
    super(message, causeOrNull);
    this.missingItems = List.of();
  }

  /**
   * Numbers of the items that were read but have no result, in their order. Items that had not been
   * read are missing too; the message says whether there were any.
   */
  public List<Long> missingItems() {
    return missingItems;
  }

  private static String missing(List<Long> items, boolean moreToRead) {
    String unread = moreToRead ? " and all items after them, which were not read" : "";
    if (items.isEmpty()) {
      return moreToRead ? "missing are all items that were not read" : "no item is missing";
    }
    return "missing are %d items: %s%s".formatted(items.size(), ranges(items), unread);
  }

  /** As in "3-7, 9". */
  private static String ranges(List<Long> items) {
    List<String> ranges = new ArrayList<>();
    int first = 0;
    while (first < items.size() && ranges.size() < MOST_NAMED) {
      int last = first;
      while (last + 1 < items.size() && items.get(last + 1) == items.get(last) + 1) {
        last++;
      }
      String from = Long.toUnsignedString(items.get(first));
      ranges.add(first == last ? from : from + "-" + Long.toUnsignedString(items.get(last)));
      first = last + 1;
    }
    return String.join(", ", ranges) + (first < items.size() ? ", …" : "");
  }
}

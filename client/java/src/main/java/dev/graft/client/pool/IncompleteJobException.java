package dev.graft.client.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** A job that could not go on. What it had given before is right, but not all. */
public final class IncompleteJobException extends RuntimeException {
  private static final int MOST_RANGES = 20;
  private static final int MOST_CHARACTERS_OF_WHY = 1_000;

  private final String why;
  private final boolean moreToRead;
  private final long[] missingItems;

  IncompleteJobException(
      String why, List<Long> missingItems, boolean moreToRead, Throwable causeOrNull) {
    this(
        why,
        missing("items", missingItems, moreToRead),
        numbers(missingItems),
        moreToRead,
        causeOrNull);
  }

  /** One that has all its results, or none yet. */
  IncompleteJobException(String why, Throwable causeOrNull) {
    super(shortened(why), causeOrNull);
    this.why = why;
    this.moreToRead = false;
    this.missingItems = new long[0];
  }

  private IncompleteJobException(
      String why, String missing, long[] missingItems, boolean moreToRead, Throwable causeOrNull) {
    super(shortened(why) + "; " + missing, causeOrNull);
    this.why = why;
    this.moreToRead = moreToRead;
    this.missingItems = missingItems;
  }

  /** The same, of a training whose items have other numbers than the contents that were missing. */
  IncompleteJobException ofTraining(List<Long> trainItems, List<Long> evalItems) {
    String missing = missing("training items", trainItems, moreToRead);
    if (!evalItems.isEmpty()) {
      missing += "; " + missing("evaluation items", evalItems, false);
    }
    return new IncompleteJobException(
        why,
        missing,
        LongStream.concat(LongStream.of(numbers(trainItems)), LongStream.of(numbers(evalItems)))
            .toArray(),
        moreToRead,
        getCause());
  }

  /**
   * Numbers of the items that were read but have no result, in their order; of a training, those of
   * its training items and then those of its evaluation items. Items that had not been read are
   * missing too; the message says whether there were any.
   */
  public List<Long> missingItems() {
    return LongStream.of(missingItems).boxed().toList();
  }

  private static long[] numbers(List<Long> items) {
    return items.stream().mapToLong(Long::longValue).toArray();
  }

  private static String shortened(String why) {
    return why.length() <= MOST_CHARACTERS_OF_WHY
        ? why
        : why.substring(0, MOST_CHARACTERS_OF_WHY) + "…";
  }

  private static String missing(String what, List<Long> items, boolean moreToRead) {
    if (items.isEmpty()) {
      return moreToRead ? "missing are all items that were not read" : "no item is missing";
    }
    return "missing are %d %s: %s%s"
        .formatted(
            items.size(),
            what,
            ranges(items),
            moreToRead ? " and all items after them, which were not read" : "");
  }

  /** As in "3-7, 9". */
  private static String ranges(List<Long> items) {
    List<String> ranges = new ArrayList<>();
    int first = 0;
    while (first < items.size() && ranges.size() < MOST_RANGES) {
      int last = first;
      while (last + 1 < items.size() && items.get(last + 1) == items.get(last) + 1) {
        last++;
      }
      String from = Long.toUnsignedString(items.get(first));
      ranges.add(first == last ? from : from + "-" + Long.toUnsignedString(items.get(last)));
      first = last + 1;
    }
    int unnamed = items.size() - first;
    Stream<String> rest = unnamed > 0 ? Stream.of("and " + unnamed + " more") : Stream.of();
    return String.join(", ", Stream.concat(ranges.stream(), rest).toList());
  }
}

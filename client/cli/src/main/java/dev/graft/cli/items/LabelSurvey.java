package dev.graft.cli.items;

import dev.graft.cli.items.LabelValue.Scalar;
import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;

/** What the labels of a training file are like, seen in one pass before anything is sent. */
public final class LabelSurvey {
  /** As many classes as a worker takes. */
  static final int MAX_CLASSES = 65_536;

  private final ItemFile file;
  private final TreeMap<String, Long> occurrences = new TreeMap<>();
  private long items;
  private long labelled;
  private long paired;
  private long largestNumber = -1;
  private boolean anyText;
  private boolean anyReal;
  private boolean anyNegative;
  private InputItem firstList;
  private InputItem firstScalar;

  private LabelSurvey(ItemFile file) {
    this.file = file;
  }

  /** Reads the whole file. */
  public static LabelSurvey of(ItemFile file) throws IOException {
    LabelSurvey survey = new LabelSurvey(file);
    try (ItemFile.Items all = file.open()) {
      all.forEachRemaining(survey::see);
    }
    if (survey.items == 0) {
      throw file.bad("it has no items, so there is nothing to train on");
    }
    return survey;
  }

  private void see(InputItem item) {
    items++;
    if (item.pair().isPresent()) {
      paired++;
    }
    item.label().ifPresent(label -> see(item, label));
  }

  private void see(InputItem item, LabelValue label) {
    labelled++;
    if (label.isList() && firstList == null) {
      firstList = item;
    }
    if (!label.isList() && firstScalar == null) {
      firstScalar = item;
    }
    if (firstList != null && firstScalar != null) {
      throw file.bad(
          item,
          "its label is "
              + (label.isList() ? "a list" : "a single value")
              + ", that of line "
              + (label.isList() ? firstScalar : firstList).line()
              + " is not; labels must be alike");
    }
    for (Scalar value : label.values()) {
      see(value);
    }
  }

  private void see(Scalar value) {
    switch (value.kind()) {
      case TEXT -> anyText = true;
      case REAL_NUMBER -> anyReal = true;
      case WHOLE_NUMBER -> {
        long number = Long.parseLong(value.text());
        largestNumber = Math.max(largestNumber, number);
        anyNegative |= number < 0;
      }
    }
    // Values of a regression are as many as its items: enough are kept to see that they are too
    // many for classes.
    if (occurrences.size() <= MAX_CLASSES) {
      occurrences.merge(value.text(), 1L, Long::sum);
    }
  }

  ItemFile file() {
    return file;
  }

  /** Number of items. */
  public long items() {
    return items;
  }

  /** How often each value occurs, by value; complete only up to {@link #MAX_CLASSES} values. */
  SortedMap<String, Long> occurrences() {
    return occurrences;
  }

  /**
   * Share of the items that have the most frequent label: what a guess that never looks comes to.
   */
  public double majorityShare() {
    return (double) occurrences.values().stream().mapToLong(Long::longValue).max().orElse(0)
        / items;
  }

  boolean hasText() {
    return anyText;
  }

  boolean hasNegative() {
    return anyNegative;
  }

  long largestNumber() {
    return largestNumber;
  }

  /** What the labels ask for when nobody says it. */
  public ObjectiveKind defaultObjective() {
    if (labelled == 0) {
      if (paired == items) {
        return ObjectiveKind.INFO_NCE;
      }
      throw file.bad(
          "its items have no labels; add \"label\", or \"pair\" for the objective info_nce");
    }
    boolean numbers = anyReal && !anyText;
    if (numbers) {
      return ObjectiveKind.MEAN_SQUARED_ERROR;
    }
    return firstList == null ? ObjectiveKind.CROSS_ENTROPY : ObjectiveKind.BINARY_CROSS_ENTROPY;
  }
}

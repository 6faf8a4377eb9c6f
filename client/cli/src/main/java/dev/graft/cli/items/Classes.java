package dev.graft.cli.items;

import dev.graft.cli.items.LabelValue.Kind;
import dev.graft.cli.items.LabelValue.Scalar;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The classes of a classification. Strings are names, numbered in sorted order; whole numbers are
 * class numbers as they stand.
 */
public final class Classes {
  private final List<String> names;
  private final boolean numbered;
  private final Map<String, Integer> indices = new HashMap<>();

  /**
   * Classes by name.
   *
   * @param numbered whether the names are the class numbers themselves
   */
  public Classes(List<String> names, boolean numbered) {
    this.names = List.copyOf(names);
    this.numbered = numbered;
    for (int index = 0; index < names.size(); index++) {
      indices.put(names.get(index), index);
    }
  }

  /** The classes of a training file. */
  static Classes of(LabelSurvey survey) {
    if (survey.occurrences().size() > LabelSurvey.MAX_CLASSES) {
      throw survey
          .file()
          .bad(
              "more than "
                  + LabelSurvey.MAX_CLASSES
                  + " different labels; if they are numbers to come close to, use --objective mse");
    }
    if (survey.hasText()) {
      return new Classes(List.copyOf(survey.occurrences().keySet()), false);
    }
    if (survey.hasNegative() || survey.largestNumber() >= LabelSurvey.MAX_CLASSES) {
      throw survey
          .file()
          .bad(
              "class numbers must be from 0 to "
                  + (LabelSurvey.MAX_CLASSES - 1)
                  + "; write them as strings to use them as names, or use --objective mse");
    }
    int size = (int) survey.largestNumber() + 1;
    return new Classes(IntStream.range(0, size).mapToObj(Integer::toString).toList(), true);
  }

  /** Names by class number. */
  public List<String> names() {
    return names;
  }

  /** Whether labels are class numbers rather than names. */
  public boolean numbered() {
    return numbered;
  }

  public int size() {
    return names.size();
  }

  /** The number of a label's class, or -1 if there is no such class. */
  int indexOf(Scalar value) {
    if (numbered && value.kind() != Kind.WHOLE_NUMBER) {
      return -1;
    }
    return indices.getOrDefault(value.text(), -1);
  }

  /** The first few names, for messages. */
  String sample() {
    int shown = Math.min(names.size(), 8);
    return String.join(", ", names.subList(0, shown)) + (shown < names.size() ? ", ..." : "");
  }
}

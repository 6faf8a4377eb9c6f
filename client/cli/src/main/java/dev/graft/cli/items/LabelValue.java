package dev.graft.cli.items;

import java.util.List;

/**
 * A label as a file has it, before an objective says what it means.
 *
 * @param values one value, or those of a list
 * @param isList whether it was written as a list
 */
public record LabelValue(List<Scalar> values, boolean isList) {
  public LabelValue {
    values = List.copyOf(values);
  }

  static LabelValue one(Scalar value) {
    return new LabelValue(List.of(value), false);
  }

  static LabelValue list(List<Scalar> values) {
    return new LabelValue(values, true);
  }

  /** What a scalar looks like. */
  public enum Kind {
    TEXT,
    WHOLE_NUMBER,
    REAL_NUMBER
  }

  /**
   * A scalar.
   *
   * @param text as it was written
   */
  public record Scalar(String text, Kind kind) {
    private static final String WHOLE = "0|-?[1-9][0-9]{0,17}";
    private static final String REAL = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?";

    /** A scalar whose kind is known from its looks alone, as in CSV; "007" is text. */
    static Scalar guess(String text) {
      if (text.matches(WHOLE)) {
        return new Scalar(text, Kind.WHOLE_NUMBER);
      }
      boolean real = text.matches(REAL) && (text.contains(".") || text.matches(".*[eE].*"));
      return new Scalar(text, real ? Kind.REAL_NUMBER : Kind.TEXT);
    }

    @Override
    public String toString() {
      return kind == Kind.TEXT ? '"' + text + '"' : text;
    }
  }
}

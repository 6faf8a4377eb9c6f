package dev.graft.cli.bench;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** The medians of each run's figures. */
final class Results {
  private enum Column {
    SECONDS("seconds", "seconds", 9, 2),
    SPEED("tokens_per_s", "tokens/s", 10, 0),
    LIMIT("product_limit_fraction", "of limit", 9, 2),
    FIRST("first_feature_s", "first s", 8, 1),
    MEMORY("peak_rss_mib", "peak MiB", 9, 0),
    OTHERS("other_cores", "others", 8, 2);

    private final String figure;
    private final String title;
    private final int width;
    private final int decimals;

    Column(String figure, String title, int width, int decimals) {
      this.figure = figure;
      this.title = title;
      this.width = width;
      this.decimals = decimals;
    }
  }

  private final Map<String, Medians> medians = new LinkedHashMap<>();

  void add(String name, Measurement measurement) {
    medians.computeIfAbsent(name, absent -> new Medians()).add(measurement);
  }

  /** The median of a figure, where the run was made and has it. */
  OptionalDouble of(String name, String figure) {
    Medians runs = medians.get(name);
    return runs == null ? OptionalDouble.empty() : runs.of(figure);
  }

  void print(PrintStream out) {
    StringBuilder titles = new StringBuilder(" ".repeat(30));
    for (Column column : Column.values()) {
      titles.append(String.format(Locale.ROOT, " %" + column.width + "s", column.title));
    }
    out.println(titles);
    for (String name : medians.keySet()) {
      StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-30s", name));
      for (Column column : Column.values()) {
        OptionalDouble value = of(name, column.figure);
        String text =
            value.isPresent()
                ? String.format(Locale.ROOT, "%." + column.decimals + "f", value.getAsDouble())
                : "-";
        line.append(" ".repeat(Math.max(1, column.width + 1 - text.length()))).append(text);
      }
      out.println(line);
    }
  }

  /** Prints how much faster one run is than another, where both were made. */
  void printSpeed(PrintStream out, String label, String name, String other) {
    print(out, label + ", speed", of(name, "tokens_per_s"), of(other, "tokens_per_s"));
  }

  /** Prints how much memory one run takes in relation to another, where both were made. */
  void printMemory(PrintStream out, String label, String name, String other) {
    print(out, label + ", peak memory", of(name, "peak_rss_mib"), of(other, "peak_rss_mib"));
  }

  private static void print(
      PrintStream out, String label, OptionalDouble value, OptionalDouble other) {
    if (value.isPresent() && other.isPresent()) {
      print(out, label, value.getAsDouble() / other.getAsDouble());
    }
  }

  static void print(PrintStream out, String label, double value) {
    out.printf(Locale.ROOT, "%-60s %8.3f%n", label, value);
  }
}

package dev.graft.cli.bundle;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code metrics.jsonl}: a row a log entry, with the keys of transformers' Trainer. Rows can be
 * read while training goes on.
 */
final class MetricsLog implements Closeable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final BufferedWriter out;
  private final List<Map<String, Double>> rows;

  private MetricsLog(BufferedWriter out, List<Map<String, Double>> rows) {
    this.out = out;
    this.rows = rows;
  }

  /** Starts the file; of an earlier run's rows only those up to a step are kept. */
  static MetricsLog open(Path file, long keptUpToStep) throws IOException {
    List<Map<String, Double>> kept = new ArrayList<>();
    if (keptUpToStep > 0 && Files.exists(file)) {
      for (Map<String, Double> row : read(file)) {
        // The summary of a run that ended is not part of one that goes on from it.
        if (row.getOrDefault("step", 0.0) <= keptUpToStep && !row.containsKey("train_runtime")) {
          kept.add(row);
        }
      }
    }
    MetricsLog log = new MetricsLog(Files.newBufferedWriter(file), new ArrayList<>());
    for (Map<String, Double> row : kept) {
      log.add(row);
    }
    return log;
  }

  private static List<Map<String, Double>> read(Path file) throws IOException {
    List<Map<String, Double>> rows = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      rows.add(JSON.readValue(line, new TypeReference<Map<String, Double>>() {}));
    }
    return rows;
  }

  /** Appends a row. */
  void add(Map<String, Double> row) throws IOException {
    rows.add(row);
    StringBuilder line = new StringBuilder("{");
    for (Map.Entry<String, Double> value : row.entrySet()) {
      line.append(line.length() == 1 ? "" : ", ")
          .append(JSON.writeValueAsString(value.getKey()))
          .append(": ")
          .append(number(value.getValue()));
    }
    out.write(line.append('}').append('\n').toString());
    out.flush();
  }

  /**
   * Whole numbers, such as steps, without a fraction; what is not finite as a string, as JSON lacks
   * it.
   */
  private static String number(double value) throws IOException {
    boolean whole = value == Math.rint(value) && Math.abs(value) < 1e15;
    return whole ? Long.toString((long) value) : JSON.writeValueAsString(value);
  }

  /** All rows so far. */
  List<Map<String, Double>> rows() {
    return List.copyOf(rows);
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}

package dev.graft.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalDouble;

/** What one process measured of itself: the last line of its output that is a JSON object. */
record Measurement(JsonNode values) {
  static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Runs a process to its end.
   *
   * @throws IOException if it fails, with what it wrote
   */
  static Measurement of(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String json = null;
    StringBuilder rest = new StringBuilder();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (line.startsWith("{")) {
          json = line;
        } else {
          rest.append(line).append('\n');
        }
      }
    }
    if (process.waitFor() != 0 || json == null) {
      throw new IOException(String.join(" ", command) + " failed:\n" + rest);
    }
    return new Measurement(JSON.readTree(json));
  }

  /** A figure; empty where this measurement has none of the name. */
  OptionalDouble find(String name) {
    JsonNode value = values.path(name);
    return value.isNumber() ? OptionalDouble.of(value.doubleValue()) : OptionalDouble.empty();
  }

  String text(String name) {
    return values.get(name).textValue();
  }
}

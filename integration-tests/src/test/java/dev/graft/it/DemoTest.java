package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo on its real model, with a part of its passages. */
@Timeout(300)
class DemoTest {
  private static final Pattern ACCURACY =
      Pattern.compile("(?m)^(fp32|NF4): +accuracy ([0-9.]+)%.*most frequent era: ([0-9.]+)%");

  @TempDir private Path directory;

  @Test
  void quantizedIsAboutAsGood() throws Exception {
    Map<String, String> environment =
        Map.of("XDG_CACHE_HOME", directory.resolve("cache").toString());
    String[] demo = {"demo", "--quantized", "--passages", "120", "--output", "out"};
    String said;
    try (GraftProcess command = GraftProcess.start(directory, environment, demo)) {
      said = command.succeeds().said();
    }

    Matcher accuracies = ACCURACY.matcher(said);
    assertThat(accuracies.find()).as(said).isTrue();
    double plain = Double.parseDouble(accuracies.group(2));
    double majority = Double.parseDouble(accuracies.group(3));
    assertThat(accuracies.find()).as(said).isTrue();
    double quantized = Double.parseDouble(accuracies.group(2));
    assertThat(plain).isGreaterThan(majority);
    assertThat(quantized).isBetween(plain - 10, plain + 10);
    assertThat(said).contains("NF4: 90.", " MB -> ", "largest errors");
    assertThat(directory.resolve("out/fp32/projector.safetensors")).exists();

    String[] predict = {
      "predict", "--bundle", "out", "--input", "out/data/test.jsonl", "--output", "p.jsonl"
    };
    try (GraftProcess command = GraftProcess.start(directory, environment, predict)) {
      command.succeeds();
    }
    assertThat(Files.readAllLines(directory.resolve("p.jsonl"))).hasSize(120);
    assertThat(Files.readString(directory.resolve("out/backbone/config.json"))).contains("\"nf4\"");
  }
}

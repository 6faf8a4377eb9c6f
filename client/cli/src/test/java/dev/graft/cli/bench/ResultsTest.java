package dev.graft.cli.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class ResultsTest {
  private final Results results = new Results();
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(written, true, UTF_8);

  private void add(String name, int speed) throws JsonProcessingException {
    results.add(
        name,
        new Measurement(Measurement.JSON.readTree("{\"tokens_per_s\": %d}".formatted(speed))));
  }

  @Test
  void mediansAreCompared() throws JsonProcessingException {
    add("one", 1000);
    add("one", 90);
    add("one", 300);
    add("other", 100);
    add("other", 300);

    results.printSpeed(out, "one / other", "one", "other");
    results.printMemory(out, "one / other", "one", "other");
    results.printSpeed(out, "one / none", "one", "none");

    assertThat(written.toString(UTF_8)).matches("one / other, speed +1\\.500\n");
  }

  @Test
  void figuresThatWereNotMeasuredAreLeftOut() throws JsonProcessingException {
    add("one", 1000);

    results.print(out);

    assertThat(written.toString(UTF_8)).containsPattern("one +- +1000 +- +- +- +-");
  }
}

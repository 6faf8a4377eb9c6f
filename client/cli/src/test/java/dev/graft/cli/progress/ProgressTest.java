package dev.graft.cli.progress;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream err = new PrintStream(bytes, true, UTF_8);
  private long now;

  @Test
  void printsAPlainLineEveryFewSeconds() {
    try (Progress progress = new Progress(err, Terminal.none(), () -> Instant.ofEpochMilli(now))) {
      for (now = 0; now <= 10_000; now += 100) {
        progress.update("extracting", "items", now / 10, 2_000, "loss 0.5");
      }
    }

    assertThat(bytes.toString(UTF_8).lines())
        .containsExactly(
            "extracting 0/2,000 items, loss 0.5",
            "extracting 500/2,000 items, 100/s, ETA 0:15, loss 0.5",
            "extracting 1,000/2,000 items, 100/s, ETA 0:10, loss 0.5");
  }

  @Test
  void redrawsABarOnATerminalAndTakesItAway() {
    Terminal terminal = new Terminal(true, 60);
    try (Progress progress = new Progress(err, terminal, () -> Instant.ofEpochMilli(now))) {
      progress.update("training", "steps", 0, 4, "");
      now = 1_000;
      progress.update("training", "steps", 2, 4, "loss 1");
      progress.message("kept");
    }

    String bar = "training [============            ] 2/4 steps, 2.0/s, ETA 0";
    assertThat(bytes.toString(UTF_8))
        .startsWith("\rtraining [                        ] 0/4 steps")
        .contains("\r" + bar.substring(0, 59))
        .endsWith("\r" + " ".repeat(59) + "\rkept\n");
  }

  @Test
  void anUnknownTotalHasNoEnd() {
    try (Progress progress = new Progress(err, Terminal.none(), () -> Instant.ofEpochMilli(now))) {
      progress.update("extracting", "items", 5, 0, "");
    }
    assertThat(bytes.toString(UTF_8)).isEqualTo("extracting 5 items\n");
  }

  @Test
  void durationsReadLikeClocks() {
    assertThat(Progress.duration(59.6)).isEqualTo("1:00");
    assertThat(Progress.duration(5)).isEqualTo("0:05");
    assertThat(Progress.duration(3_725)).isEqualTo("1:02:05");
  }
}

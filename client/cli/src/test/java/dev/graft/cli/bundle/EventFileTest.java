package dev.graft.cli.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
  @TempDir Path directory;

  @Test
  void recordsAreFramedAsTensorFlowDoes() {
    // tf.io.TFRecordWriter(...).write(b"abc")
    assertThat(
            HexFormat.of().formatHex(EventFile.record("abc".getBytes(StandardCharsets.US_ASCII))))
        .isEqualTo("0300000000000000" + "b099490e" + "616263" + "6e57f121");
  }

  @Test
  void scalarsAreEventsOfTheirStep() throws IOException {
    Clock clock = Clock.fixed(Instant.ofEpochSecond(1_700_000_000), ZoneOffset.UTC);
    try (EventFile file = EventFile.in(directory, clock)) {
      file.scalars(300, Map.of("train/loss", 0.5));
    }

    Path file;
    try (Stream<Path> files = Files.list(directory)) {
      file = files.findFirst().orElseThrow();
    }
    assertThat(file.getFileName().toString()).startsWith("events.out.tfevents.1700000000.graft.");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    String wallTime = "09" + "00000040fc54d941"; // field 1, double 1.7e9
    assertThat(List.of(nextRecord(bytes), nextRecord(bytes)))
        .containsExactly(
            wallTime + "1a0d" + hex("brain.Event:2"),
            wallTime
                + "10ac02" // field 2, varint 300
                + "2a13" // field 5, a summary of 19 bytes
                + "0a11" // its field 1, a value of 17 bytes
                + "0a0a"
                + hex("train/loss") // field 1
                + "15"
                + "0000003f"); // field 2, float 0.5
    assertThat(bytes.hasRemaining()).isFalse();
  }

  private static String nextRecord(ByteBuffer bytes) {
    byte[] data = new byte[(int) bytes.getLong()];
    bytes.getInt();
    bytes.get(data);
    bytes.getInt();
    return HexFormat.of().formatHex(data);
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
  }
}

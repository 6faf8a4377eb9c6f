package dev.graft.cli.bundle;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file: TFRecords of {@code tensorflow.Event} messages, of which only the few
 * fields that scalars need are written, by hand.
 *
 * @see <a
 *     href="https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto">event.proto</a>
 */
final class EventFile implements Closeable {
  private static final String FILE_VERSION = "brain.Event:2";
  private static final int CRC_MASK_DELTA = 0xa282ead8;

  // tensorflow.Event
  private static final int EVENT_WALL_TIME = 1;
  private static final int EVENT_STEP = 2;
  private static final int EVENT_FILE_VERSION = 3;
  private static final int EVENT_SUMMARY = 5;
  // tensorflow.Summary and tensorflow.Summary.Value
  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_SIMPLE_VALUE = 2;

  /** Writes the fields of a message. */
  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  private final OutputStream out;
  private final Clock clock;

  private EventFile(OutputStream out, Clock clock) {
    this.out = out;
    this.clock = clock;
  }

  /**
   * Starts a new file in a directory. TensorBoard reads a directory's files in the order of their
   * names.
   */
  static EventFile in(Path directory, Clock clock) throws IOException {
    String name =
        "events.out.tfevents.%010d.graft.%d.0"
            .formatted(clock.instant().getEpochSecond(), ProcessHandle.current().pid());
    OutputStream out =
        Files.newOutputStream(
            directory.resolve(name), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    EventFile file = new EventFile(out, clock);
    file.write(event -> event.writeString(EVENT_FILE_VERSION, FILE_VERSION));
    return file;
  }

  /** Appends scalars, by tag, and makes them readable at once. */
  void scalars(long step, Map<String, Double> values) throws IOException {
    byte[] summary =
        message(
            fields -> {
              for (Map.Entry<String, Double> scalar : values.entrySet()) {
                byte[] value =
                    message(
                        valueFields -> {
                          valueFields.writeString(VALUE_TAG, scalar.getKey());
                          valueFields.writeFloat(
                              VALUE_SIMPLE_VALUE, scalar.getValue().floatValue());
                        });
                fields.writeByteArray(SUMMARY_VALUE, value);
              }
            });
    write(
        event -> {
          event.writeInt64(EVENT_STEP, step);
          event.writeByteArray(EVENT_SUMMARY, summary);
        });
  }

  private void write(Fields fields) throws IOException {
    double seconds = clock.millis() / 1e3;
    byte[] event =
        message(
            out -> {
              out.writeDouble(EVENT_WALL_TIME, seconds);
              fields.write(out);
            });
    out.write(record(event));
    out.flush();
  }

  private static byte[] message(Fields fields) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      fields.write(out);
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
  }

  /** A TFRecord: u64 length, its masked CRC32C, the data, its masked CRC32C; little-endian. */
  static byte[] record(byte[] data) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + Integer.BYTES + data.length + Integer.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(data.length);
    bytes.putInt(maskedCrc(bytes.array(), Long.BYTES));
    bytes.put(data);
    bytes.putInt(maskedCrc(data, data.length));
    return bytes.array();
  }

  private static int maskedCrc(byte[] data, int length) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + CRC_MASK_DELTA;
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}

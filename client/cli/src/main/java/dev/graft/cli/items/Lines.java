package dev.graft.cli.items;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The lines of a UTF-8 file, strictly decoded, one at a time. */
final class Lines implements Closeable {
  /**
   * Far above any message that a worker takes; keeps a file without line ends from filling memory.
   */
  static final int MAX_LINE_BYTES = 32 << 20;

  private static final int BUFFER_BYTES = 1 << 16;

  private final Path file;
  private final InputStream in;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);
  private long number;

  Lines(Path file) throws IOException {
    this.file = file;
    this.in = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES);
  }

  /** Number of the line that was read last, from 1. */
  long number() {
    return number;
  }

  /** The next line without its end, or null after the last. A last line end starts no line. */
  String next() throws IOException {
    bytes.reset();
    int read = in.read();
    if (read < 0) {
      return null;
    }
    number++;
    while (read >= 0 && read != '\n') {
      if (bytes.size() == MAX_LINE_BYTES) {
        throw new BadItemException(
            file, number, "the line is longer than " + MAX_LINE_BYTES + " bytes");
      }
      bytes.write(read);
      read = in.read();
    }
    String line = decode(bytes.toByteArray());
    return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
  }

  private String decode(byte[] raw) {
    try {
      String line = decoder.decode(ByteBuffer.wrap(raw)).toString();
      boolean byteOrderMark = number == 1 && line.startsWith("\uFEFF");
      return byteOrderMark ? line.substring(1) : line;
    } catch (CharacterCodingException e) {
      throw new BadItemException(
          file, number, "the line is not valid UTF-8; convert the file to UTF-8");
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}

package dev.graft.server.checkpoints;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Builds GGUF files byte by byte, hostile ones too. */
final class GgufBytes {
  static final int UINT32 = 4;
  static final int STRING = 8;
  static final int ARRAY = 9;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** A header with these claims. */
  static GgufBytes header(long version, long tensors, long pairs) {
    return new GgufBytes().raw("GGUF").u32(version).u64(tensors).u64(pairs);
  }

  GgufBytes raw(String ascii) {
    bytes.writeBytes(ascii.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  GgufBytes zeros(int count) {
    bytes.writeBytes(new byte[count]);
    return this;
  }

  GgufBytes u32(long value) {
    return number(value, 4);
  }

  GgufBytes u64(long value) {
    return number(value, 8);
  }

  private GgufBytes number(long value, int size) {
    byte[] little = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value).array();
    bytes.write(little, 0, size);
    return this;
  }

  GgufBytes text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    u64(utf8.length);
    bytes.writeBytes(utf8);
    return this;
  }

  GgufBytes alignment(long alignment) {
    return text("general.alignment").u32(UINT32).u32(alignment);
  }

  /** An entry of the header; dimensions with the fastest first, as in the file. */
  GgufBytes tensor(String name, long type, long offset, long... dimensions) {
    text(name).u32(dimensions.length);
    for (long dimension : dimensions) {
      u64(dimension);
    }
    return u32(type).u64(offset);
  }

  GgufBytes padded(int alignment) {
    return zeros((alignment - bytes.size() % alignment) % alignment);
  }

  Path write(Path file) {
    try {
      return Files.write(file, bytes.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

package dev.graft.cli.output;

import dev.graft.v1.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The safetensors header: its size in 8 bytes, then JSON, padded with spaces to a multiple of 8.
 */
final class Safetensors {
  /** Larger headers are refused by readers. */
  static final int MAX_HEADER_BYTES = 100_000_000;

  private static final int ALIGNMENT = 8;

  private Safetensors() {}

  /** The format's name of a type. */
  static String dtype(DataType type) {
    return switch (type) {
      case DATA_TYPE_F32 -> "F32";
      case DATA_TYPE_F16 -> "F16";
      case DATA_TYPE_BF16 -> "BF16";
      case DATA_TYPE_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalArgumentException("not an element type: " + type);
    };
  }

  /**
   * The start of a file.
   *
   * @param atLeast the size in bytes to pad to, or 0
   */
  static ByteBuffer header(String json, int atLeast) {
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    int unpadded = Math.max(text.length, atLeast - Long.BYTES);
    int padded = (unpadded + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    ByteBuffer header = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(padded).put(text);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.flip();
  }
}

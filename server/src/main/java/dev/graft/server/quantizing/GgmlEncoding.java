package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.checkpoints.HalfFloats;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Encodes values as ggml blocks, with the bytes that {@code quantize_row_*_ref} of llama.cpp's
 * ggml-quants.c writes.
 */
public enum GgmlEncoding {
  Q8_0(GgmlType.Q8_0, 7) {
    @Override
    void block(float[] values, int from, ByteBuffer out) {
      float largest = 0;
      for (int i = from; i < from + 32; i++) {
        largest = Math.max(largest, Math.abs(values[i]));
      }
      float scale = largest / 127;
      float inverse = scale == 0 ? 0 : 1 / scale;
      out.putShort(HalfFloats.toFloat16(scale));
      for (int i = from; i < from + 32; i++) {
        float x = values[i] * inverse;
        double rounded = Math.floor(Math.abs((double) x) + 0.5); // C's roundf: halves go outwards
        out.put((byte) (x < 0 ? -rounded : rounded));
      }
    }
  },
  Q4_0(GgmlType.Q4_0, 2) {
    @Override
    void block(float[] values, int from, ByteBuffer out) {
      float largest = 0; // the first of the largest magnitude, with its sign
      for (int i = from; i < from + 32; i++) {
        if (Math.abs(values[i]) > Math.abs(largest)) {
          largest = values[i];
        }
      }
      float scale = largest / -8;
      float inverse = scale == 0 ? 0 : 1 / scale;
      out.putShort(HalfFloats.toFloat16(scale));
      for (int i = from; i < from + 16; i++) {
        out.put((byte) (nibble(values[i] * inverse) | nibble(values[i + 16] * inverse) << 4));
      }
    }
  };

  private final GgmlType type;
  private final int fileType;

  GgmlEncoding(GgmlType type, int fileType) {
    this.type = type;
    this.fileType = fileType;
  }

  /**
   * That of a type.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static GgmlEncoding of(GgmlType type) {
    return valueOf(type.name());
  }

  /** What {@code general.file_type} says of a file whose weights are mostly of this type. */
  public int fileType() {
    return fileType;
  }

  public GgmlType type() {
    return type;
  }

  /**
   * Encodes whole blocks of finite values. Values whose scale is above float16's range become
   * infinite, as in llama.cpp.
   *
   * @throws IllegalArgumentException if they are no whole blocks
   */
  public ByteBuffer encode(float[] values) {
    if (values.length % type.blockValues() != 0) {
      throw new IllegalArgumentException(values.length + " values are no whole blocks of " + type);
    }
    ByteBuffer out =
        ByteBuffer.allocate(
                Math.multiplyExact(values.length / type.blockValues(), type.blockBytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int from = 0; from < values.length; from += type.blockValues()) {
      block(values, from, out);
    }
    return out.flip();
  }

  abstract void block(float[] values, int from, ByteBuffer out);

  private static int nibble(float x) {
    return Math.min(15, (byte) (x + 8.5f));
  }
}

package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.checkpoints.HalfFloats;
import java.nio.ByteBuffer;

/**
 * Encodes values as ggml blocks, with the bytes that {@code quantize_row_*_ref} of llama.cpp's
 * ggml-quants.c writes.
 */
public enum GgmlEncoding {
  Q8_0(GgmlType.Q8_0, 7) {
    @Override
    void block(float[] values, int from, byte[] out, int at) {
      int most = 0;
      for (int i = from; i < from + 32; i++) {
        // Without its sign, a float's bits are in the order of its values.
        most = Math.max(most, Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE);
      }
      float scale = Float.intBitsToFloat(most) / 127;
      float inverse = scale == 0 ? 0 : 1 / scale;
      putScale(scale, out, at);
      for (int i = 0; i < 32; i++) {
        double x = values[from + i] * inverse;
        out[at + 2 + i] = (byte) (x + Math.copySign(0.5, x)); // C's roundf: halves go outwards
      }
    }
  },
  Q4_0(GgmlType.Q4_0, 2) {
    @Override
    void block(float[] values, int from, byte[] out, int at) {
      float largest = 0; // the first of the largest magnitude, with its sign
      for (int i = from; i < from + 32; i++) {
        if (Math.abs(values[i]) > Math.abs(largest)) {
          largest = values[i];
        }
      }
      float scale = largest / -8;
      float inverse = scale == 0 ? 0 : 1 / scale;
      putScale(scale, out, at);
      for (int i = 0; i < 16; i++) {
        int low = nibble(values[from + i] * inverse);
        out[at + 2 + i] = (byte) (low | nibble(values[from + i + 16] * inverse) << 4);
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
    int blocks = values.length / type.blockValues();
    byte[] out = new byte[Math.multiplyExact(blocks, type.blockBytes())];
    for (int block = 0; block < blocks; block++) {
      block(values, block * type.blockValues(), out, block * type.blockBytes());
    }
    return ByteBuffer.wrap(out);
  }

  abstract void block(float[] values, int from, byte[] out, int at);

  private static void putScale(float scale, byte[] out, int at) {
    short bits = HalfFloats.toFloat16(scale);
    out[at] = (byte) bits;
    out[at + 1] = (byte) (bits >> 8);
  }

  private static int nibble(float x) {
    return Math.min(15, (byte) (x + 8.5f));
  }
}

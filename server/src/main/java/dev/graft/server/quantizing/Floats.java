package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.TensorData;
import java.nio.ByteBuffer;

/** Values of tensors as 32-bit floats, and floats of 16 bits, which Java has not. */
final class Floats {
  private static final int HALF_MANTISSA_BITS = 10;

  private Floats() {}

  /** All values of a tensor of F32, F16 or BF16; each is exact. */
  static float[] of(TensorData tensor) {
    ByteBuffer bytes = tensor.bytes();
    float[] values = new float[bytes.remaining() / tensor.type().bytes()];
    read(tensor, 0, values, values.length);
    return values;
  }

  /** Values from a position on, to the beginning of an array. */
  static void read(TensorData tensor, int from, float[] to, int count) {
    ByteBuffer bytes = tensor.bytes();
    switch (tensor.type()) {
      case F32 -> bytes.asFloatBuffer().get(from, to, 0, count);
      case BF16 -> {
        var shorts = bytes.asShortBuffer();
        for (int i = 0; i < count; i++) {
          to[i] = Float.intBitsToFloat(shorts.get(from + i) << Short.SIZE);
        }
      }
      case F16 -> {
        var shorts = bytes.asShortBuffer();
        for (int i = 0; i < count; i++) {
          to[i] = fromHalf(shorts.get(from + i));
        }
      }
      case BOOL,
          U8,
          I8,
          F8_E5M2,
          F8_E4M3,
          F8_E8M0,
          F8_E4M3FNUZ,
          F8_E5M2FNUZ,
          I16,
          U16,
          I32,
          U32,
          C64,
          F64,
          I64,
          U64 ->
          throw new IllegalArgumentException(tensor + " is not F32, F16 or BF16");
    }
  }

  /** The value of a float of 16 bits (1 sign, 5 exponent, 10 mantissa). */
  static float fromHalf(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >> HALF_MANTISSA_BITS) & 0x1f;
    int mantissa = half & 0x3ff;
    if (exponent == 0) {
      float subnormal = mantissa * 0x1p-24f;
      return sign == 0 ? subnormal : -subnormal;
    }
    int wide = exponent == 0x1f ? 0xff : exponent - 15 + 127;
    return Float.intBitsToFloat(sign | wide << 23 | mantissa << 13);
  }

  /** The nearest value of 16 bits, a tie to the even one, as a float; beyond 65520 infinite. */
  static float roundedToHalf(float value) {
    float magnitude = Math.abs(value);
    if (!(magnitude < 65520)) {
      return magnitude >= 65520 ? Math.copySign(Float.POSITIVE_INFINITY, value) : value;
    }
    // Adding a power of two whose last place is the half's last place rounds to that place; below
    // 2^-14 the last place is that of the subnormals.
    int exponent = Math.max(Math.getExponent(magnitude), -14);
    float shift = Float.intBitsToFloat((exponent + 23 - HALF_MANTISSA_BITS + 127) << 23 | 1 << 22);
    return Math.copySign(magnitude + shift - shift, value);
  }
}

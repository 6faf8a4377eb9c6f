package dev.graft.server.checkpoints;

/** 32-bit floats to and from the two 16-bit types, rounding to nearest even. */
public final class HalfFloats {
  private HalfFloats() {}

  /** Rounds to nearest even; NaN stays NaN. */
  public static short toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** Rounds to nearest even; too large values become infinite. */
  public static short toFloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
      return (short) (sign | 0x7E00);
    }
    if (magnitude >= 0x477FF000) {
      return (short) (sign | 0x7C00);
    }
    if (magnitude < 0x38800000) {
      // Subnormal: the float adder rounds to multiples of 2^-24 when 0.5 is added, whose last place
      // that is.
      float rounded = Float.intBitsToFloat(magnitude) + 0.5f;
      return (short) (sign | (Float.floatToRawIntBits(rounded) - 0x3F000000));
    }
    int rounded = magnitude + 0xFFF + ((magnitude >>> 13) & 1);
    return (short) (sign | ((rounded - 0x38000000) >>> 13));
  }

  /** Exact. */
  public static float fromBfloat16(short value) {
    return Float.intBitsToFloat(value << 16);
  }

  /** Exact. */
  public static float fromFloat16(short value) {
    int sign = (value & 0x8000) << 16;
    int exponent = (value >>> 10) & 0x1F;
    int mantissa = value & 0x3FF;
    if (exponent == 0) {
      float subnormal = mantissa * 0x1p-24f;
      return sign == 0 ? subnormal : -subnormal;
    }
    int bits =
        exponent == 31
            ? 0x7F800000 | (mantissa << 13)
            : ((exponent + 112) << 23) | (mantissa << 13);
    return Float.intBitsToFloat(sign | bits);
  }
}

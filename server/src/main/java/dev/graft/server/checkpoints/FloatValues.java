package dev.graft.server.checkpoints;

import java.nio.ByteBuffer;

/** Stored values as 32-bit floats, and back. Buffers are little-endian and are advanced. */
public final class FloatValues {
  private FloatValues() {}

  /**
   * Reads values; those of F64 are rounded, others are exact.
   *
   * @throws IllegalArgumentException unless {@link StoredType#isFloat16OrWider}
   */
  public static void read(StoredType type, ByteBuffer source, float[] target, int count) {
    if (!type.isFloat16OrWider()) {
      throw new IllegalArgumentException("Not a floating-point type: " + type);
    }
    if (type == StoredType.F32) {
      source.asFloatBuffer().get(target, 0, count);
      source.position(source.position() + count * Float.BYTES);
    } else if (type == StoredType.F16) {
      for (int i = 0; i < count; i++) {
        target[i] = HalfFloats.fromFloat16(source.getShort());
      }
    } else if (type == StoredType.BF16) {
      for (int i = 0; i < count; i++) {
        target[i] = HalfFloats.fromBfloat16(source.getShort());
      }
    } else {
      for (int i = 0; i < count; i++) {
        target[i] = (float) source.getDouble();
      }
    }
  }

  /**
   * Rounds values to those of F32, F16 or BF16.
   *
   * @throws IllegalArgumentException for any other type
   */
  public static void round(StoredType type, float[] values, int count) {
    if (type == StoredType.F16) {
      for (int i = 0; i < count; i++) {
        values[i] = HalfFloats.fromFloat16(HalfFloats.toFloat16(values[i]));
      }
    } else if (type == StoredType.BF16) {
      for (int i = 0; i < count; i++) {
        values[i] = HalfFloats.fromBfloat16(HalfFloats.toBfloat16(values[i]));
      }
    } else if (type != StoredType.F32) {
      throw new IllegalArgumentException("Nothing is cast to " + type);
    }
  }

  /**
   * Writes values as F32, F16 or BF16, rounding to nearest even.
   *
   * @throws IllegalArgumentException for any other type
   */
  public static void write(StoredType type, float[] source, int count, ByteBuffer target) {
    if (type == StoredType.F32) {
      target.asFloatBuffer().put(source, 0, count);
      target.position(target.position() + count * Float.BYTES);
    } else if (type == StoredType.F16) {
      for (int i = 0; i < count; i++) {
        target.putShort(HalfFloats.toFloat16(source[i]));
      }
    } else if (type == StoredType.BF16) {
      for (int i = 0; i < count; i++) {
        target.putShort(HalfFloats.toBfloat16(source[i]));
      }
    } else {
      throw new IllegalArgumentException("Nothing is cast to " + type);
    }
  }
}

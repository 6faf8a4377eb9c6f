package dev.graft.server.rpc;

import com.google.protobuf.ByteString;
import dev.graft.server.GraftException;
import dev.graft.v1.DataType;
import dev.graft.v1.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tensors of 32-bit floats to and from the wire's types. */
final class TensorCodec {
  private TensorCodec() {}

  /** Bytes of an element; F32 when unset. */
  static int bytes(DataType type) {
    return type == DataType.DATA_TYPE_F16 || type == DataType.DATA_TYPE_BF16 ? 2 : 4;
  }

  /** Encodes {@code values[start, end)}, rounding to nearest even where the type is narrower. */
  static Tensor encode(float[] values, int start, int end, DataType type, long... shape) {
    ByteBuffer data =
        ByteBuffer.allocate((end - start) * bytes(type)).order(ByteOrder.LITTLE_ENDIAN);
    Tensor.Builder tensor = Tensor.newBuilder().setDataType(type);
    for (long size : shape) {
      tensor.addShape(size);
    }
    switch (type) {
      case DATA_TYPE_BF16 -> {
        for (int i = start; i < end; i++) {
          data.putShort(toBfloat16(values[i]));
        }
      }
      case DATA_TYPE_F16 -> {
        for (int i = start; i < end; i++) {
          data.putShort(toFloat16(values[i]));
        }
      }
      case DATA_TYPE_F32 -> data.asFloatBuffer().put(values, start, end - start);
      case DATA_TYPE_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalArgumentException("No type to encode: " + type);
    }
    return tensor.setData(ByteString.copyFrom(data.rewind())).build();
  }

  /**
   * Decodes a vector.
   *
   * @param field where it stands, for errors
   * @throws GraftException INVALID_ARGUMENT (INVALID_TENSOR)
   */
  static float[] decodeVector(Tensor tensor, String field) {
    DataType type = tensor.getDataType();
    if (type == DataType.DATA_TYPE_UNSPECIFIED || type == DataType.UNRECOGNIZED) {
      throw invalid(field, "has no data_type that is known: use F32, F16 or BF16");
    }
    if (tensor.getShapeCount() != 1 || tensor.getShape(0) < 1) {
      throw invalid(field, "has shape " + tensor.getShapeList() + " where [dimension] is expected");
    }
    if (tensor.getShape(0) > Integer.MAX_VALUE
        || tensor.getShape(0) * bytes(type) != tensor.getData().size()) {
      throw invalid(
          field,
          "has "
              + tensor.getData().size()
              + " bytes, not the "
              + bytes(type)
              + " for each of its "
              + tensor.getShape(0)
              + " values");
    }
    ByteBuffer data = tensor.getData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[(int) tensor.getShape(0)];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case DATA_TYPE_BF16 -> Float.intBitsToFloat(data.getShort() << 16);
            case DATA_TYPE_F16 -> fromFloat16(data.getShort());
            case DATA_TYPE_F32 -> data.getFloat();
            case DATA_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw new AssertionError(type);
          };
      if (!Float.isFinite(values[i])) {
        throw invalid(field, "is not finite at position " + i);
      }
    }
    return values;
  }

  private static GraftException invalid(String field, String problem) {
    return GraftException.invalidArgument("INVALID_TENSOR", field + " " + problem + ".")
        .with("field", field);
  }

  /** Rounds to nearest even; NaN stays NaN. */
  static short toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** Rounds to nearest even; too large values become infinite. */
  static short toFloat16(float value) {
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

  static float fromFloat16(short value) {
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

package dev.graft.server.rpc;

import com.google.protobuf.ByteString;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.HalfFloats;
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
          data.putShort(HalfFloats.toBfloat16(values[i]));
        }
      }
      case DATA_TYPE_F16 -> {
        for (int i = start; i < end; i++) {
          data.putShort(HalfFloats.toFloat16(values[i]));
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
            case DATA_TYPE_BF16 -> HalfFloats.fromBfloat16(data.getShort());
            case DATA_TYPE_F16 -> HalfFloats.fromFloat16(data.getShort());
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
}

package dev.graft.client;

import com.google.protobuf.ByteString;
import dev.graft.v1.DataType;
import dev.graft.v1.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** Tensors of the wire as Java arrays and back. */
public final class Tensors {
  private Tensors() {}

  /**
   * An F32 tensor.
   *
   * @param values row-major
   * @param shape sizes whose product is {@code values.length}; none for a scalar
   */
  public static Tensor fromFloats(float[] values, long... shape) {
    Tensor.Builder tensor = Tensor.newBuilder().setDataType(DataType.DATA_TYPE_F32);
    for (long size : shape) {
      tensor.addShape(size);
    }
    if (elements(tensor.getShapeList()) != values.length) {
      throw new IllegalArgumentException(
          values.length + " values do not fill a tensor of shape " + Arrays.toString(shape));
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return tensor.setData(ByteString.copyFrom(bytes)).build();
  }

  /**
   * The values of a tensor of any type, row-major. F16 and BF16 widen without loss.
   *
   * @throws IllegalArgumentException if its bytes do not fill its shape, or its type is unknown
   */
  public static float[] toFloats(Tensor tensor) {
    int count = Math.toIntExact(checkedElements(tensor));
    ByteBuffer bytes = tensor.getData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[count];
    switch (tensor.getDataType()) {
      case DATA_TYPE_F32 -> bytes.asFloatBuffer().get(values);
      case DATA_TYPE_F16 -> {
        for (int i = 0; i < count; i++) {
          values[i] = halfToFloat(bytes.getShort());
        }
      }
      case DATA_TYPE_BF16 -> {
        for (int i = 0; i < count; i++) {
          values[i] = Float.intBitsToFloat(bytes.getShort() << 16);
        }
      }
      case DATA_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw unknownType(tensor.getDataType());
    }
    return values;
  }

  /** Size of an element in bytes. */
  public static int elementBytes(DataType type) {
    return switch (type) {
      case DATA_TYPE_F32 -> 4;
      case DATA_TYPE_F16, DATA_TYPE_BF16 -> 2;
      case DATA_TYPE_UNSPECIFIED, UNRECOGNIZED -> throw unknownType(type);
    };
  }

  /** The number of elements, after checking that the bytes are as many as type and shape say. */
  static long checkedElements(Tensor tensor) {
    long elements = elements(tensor.getShapeList());
    int elementBytes = elementBytes(tensor.getDataType());
    int bytes = tensor.getData().size();
    if (bytes % elementBytes != 0 || bytes / elementBytes != elements) {
      throw new IllegalArgumentException(
          "a %s tensor of shape %s does not have %d bytes"
              .formatted(tensor.getDataType(), tensor.getShapeList(), bytes));
    }
    return elements;
  }

  private static long elements(List<Long> shape) {
    long elements = 1;
    for (long size : shape) {
      if (size < 0 || Math.multiplyHigh(elements, size) != 0 || elements * size < 0) {
        throw new IllegalArgumentException(
            "the shape %s has a negative size, or too many elements".formatted(shape));
      }
      elements *= size;
    }
    return elements;
  }

  private static IllegalArgumentException unknownType(DataType type) {
    return new IllegalArgumentException("not an element type of tensors: " + type);
  }

  /** IEEE 754 binary16: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction. */
  private static float halfToFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >>> 10) & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0) { // zero and subnormals: fraction * 2^-24, exact in a float
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int widened = exponent == 0x1f ? 0xff : exponent - 15 + 127; // infinities and NaN stay
    return Float.intBitsToFloat(sign | widened << 23 | fraction << 13);
  }
}

package dev.graft.server.checkpoints;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.OptionalLong;

/** A named tensor in memory: little-endian, row-major bytes. */
public final class TensorData {
  private final String name;
  private final StoredType type;
  private final long[] shape;
  private final ByteBuffer bytes;

  private TensorData(String name, StoredType type, long[] shape, ByteBuffer bytes) {
    this.name = name;
    this.type = type;
    this.shape = shape;
    this.bytes = bytes;
  }

  /**
   * A tensor of the remaining bytes of a buffer, which is not copied.
   *
   * @throws IllegalArgumentException if the shape does not need exactly these bytes
   */
  public static TensorData of(String name, StoredType type, long[] shape, ByteBuffer bytes) {
    OptionalLong needed = Shapes.bytes(type, shape);
    if (needed.isEmpty() || needed.getAsLong() != bytes.remaining()) {
      throw new IllegalArgumentException(
          "%s: %s%s does not take %d bytes"
              .formatted(name, type, Arrays.toString(shape), bytes.remaining()));
    }
    return new TensorData(name, type, shape.clone(), bytes.slice().asReadOnlyBuffer());
  }

  /** A tensor of 32-bit floats, copied. */
  public static TensorData floats(String name, float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return of(name, StoredType.F32, shape, bytes);
  }

  /**
   * The transpose of a row-major matrix.
   *
   * @param matrix little-endian
   * @param rows of the given matrix
   * @param columns of the given matrix
   * @param size bytes of an element
   */
  public static ByteBuffer transposed(ByteBuffer matrix, int rows, int columns, int size) {
    ByteBuffer turned = ByteBuffer.allocate(matrix.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    for (int column = 0; column < columns; column++) {
      for (int row = 0; row < rows; row++) {
        int from = matrix.position() + (row * columns + column) * size;
        if (size == Float.BYTES) {
          turned.putInt(matrix.getInt(from));
        } else if (size == Short.BYTES) {
          turned.putShort(matrix.getShort(from));
        } else {
          for (int i = 0; i < size; i++) {
            turned.put(matrix.get(from + i));
          }
        }
      }
    }
    return turned.flip();
  }

  public String name() {
    return name;
  }

  public StoredType type() {
    return type;
  }

  /** The shape, slowest dimension first. */
  public long[] shape() {
    return shape.clone();
  }

  /** A fresh read-only view of the bytes, in little-endian order. */
  public ByteBuffer bytes() {
    return bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The values of an F32 tensor.
   *
   * @throws IllegalStateException for any other type
   */
  public float[] toFloats() {
    if (type != StoredType.F32) {
      throw new IllegalStateException(name + " is " + type + ", not F32");
    }
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes().asFloatBuffer().get(values);
    return values;
  }

  @Override
  public String toString() {
    return name + " " + type + Arrays.toString(shape);
  }
}

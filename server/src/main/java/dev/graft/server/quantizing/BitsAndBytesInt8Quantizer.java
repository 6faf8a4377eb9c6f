package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Makes what {@link BitsAndBytesInt8} reads, with the bits that bitsandbytes makes on a CPU. */
final class BitsAndBytesInt8Quantizer implements WeightQuantizer {
  private static final float MAX_CODE = 127;

  /** So large that what is added to it is rounded to whole numbers, its last bits: 0 for NaN. */
  private static final float ROUNDING = 0x1.8p23f;

  /** What the reference leaves for a row with NaN. */
  private static final float ROW_NAN = Float.intBitsToFloat(0x7fffffff);

  @Override
  public List<TensorData> quantize(String name, StoredType type, long[] shape, Values weight)
      throws IOException {
    int rows = Math.toIntExact(shape[0]);
    int columns = Math.toIntExact(shape[1]);
    byte[] codes = new byte[Math.multiplyExact(rows, columns)];
    float[] absmax = new float[rows];
    float[] values = new float[columns];
    for (int row = 0; row < rows; row++) {
      weight.read(values, columns);
      float largest = roundToHalf(values);
      absmax[row] = Float.isNaN(largest) ? ROW_NAN : largest;
      // Two roundings; and 0 for NaN, so that rows of zeros or with infinities have only zeros.
      float factor = 1 / largest * MAX_CODE;
      for (int i = 0; i < columns; i++) {
        codes[row * columns + i] = (byte) Float.floatToRawIntBits(values[i] * factor + ROUNDING);
      }
    }
    String prefix = BitsAndBytesInt8.prefix(name);
    return List.of(
        TensorData.of(name, StoredType.I8, shape, ByteBuffer.wrap(codes)),
        TensorData.floats(prefix + "SCB", absmax, rows),
        TensorData.of(
            prefix + "weight_format", StoredType.U8, new long[0], ByteBuffer.wrap(new byte[1])));
  }

  /** Rounds values to 16 bits, in which the reference reads them; returns the largest magnitude. */
  private static float roundToHalf(float[] values) {
    float largest = 0;
    FloatValues.round(StoredType.F16, values, values.length);
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }
}

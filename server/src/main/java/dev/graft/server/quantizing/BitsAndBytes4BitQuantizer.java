package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes what {@link BitsAndBytes4Bit} reads, with the bits that bitsandbytes makes on a CPU. */
final class BitsAndBytes4BitQuantizer implements WeightQuantizer {
  /** Below it a scale's reciprocal would be infinite. */
  private static final float MIN_ABSMAX = 1e-38f;

  /**
   * What the reference leaves for a last block with NaN; those of full blocks are the usual one.
   */
  private static final float SHORT_BLOCK_NAN = Float.intBitsToFloat(-1);

  private static final int NESTED_BLOCK_SIZE = 256;

  /** Whole blocks of every size, and few enough for a cache. */
  private static final int VALUES_AT_ONCE = 1 << 16;

  private final BitsAndBytesScheme.FourBit scheme;
  private final FourBitCodes codes;

  BitsAndBytes4BitQuantizer(BitsAndBytesScheme.FourBit scheme) {
    this.scheme = scheme;
    this.codes = FourBitCodes.of(scheme.type());
  }

  @Override
  public List<TensorData> quantize(String name, StoredType type, long[] shape, Values weight)
      throws IOException {
    int count = Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
    byte[] packed = new byte[count / 2 + count % 2];
    float[] absmax = new float[blocks(count, scheme.blockSize())];
    float[] values = new float[VALUES_AT_ONCE];
    int block = 0;
    for (int from = 0; from < count; from += VALUES_AT_ONCE) {
      int size = Math.min(VALUES_AT_ONCE, count - from);
      weight.read(values, size);
      for (int at = 0; at < size; at += scheme.blockSize()) {
        absmax[block++] = normalize(values, at, Math.min(at + scheme.blockSize(), size));
      }
      pack(values, size, packed, from / 2);
    }
    List<TensorData> parts = new ArrayList<>();
    parts.add(bytes(name, packed, packed.length, 1));
    if (scheme.doubleQuantization()) {
      addNested(parts, name, absmax, type, shape);
    } else {
      parts.add(TensorData.floats(name + ".absmax", absmax, absmax.length));
      parts.add(quantMap(name));
      parts.add(state(name, type, shape, ""));
    }
    return parts;
  }

  /** Scales a block's values to [-1, 1]; returns what is stored of their scale. */
  private float normalize(float[] values, int from, int to) {
    int largest = 0;
    for (int i = from; i < to; i++) {
      // Without its sign, a float's bits are in the order of its values, with NaN above all.
      largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE);
    }
    float absmax = Float.intBitsToFloat(largest);
    if (to - from == scheme.blockSize()) {
      float factor = 1 / Math.max(absmax, MIN_ABSMAX);
      for (int i = from; i < to; i++) {
        values[i] *= factor;
      }
      return Float.isNaN(absmax) ? Float.NaN : absmax;
    }
    absmax = Math.max(absmax, MIN_ABSMAX);
    for (int i = from; i < to; i++) {
      values[i] /= absmax;
    }
    return Float.isNaN(absmax) ? SHORT_BLOCK_NAN : absmax;
  }

  private void pack(float[] values, int size, byte[] packed, int at) {
    if (size % 2 != 0) {
      values[size] = 0; // only the last are an odd number, so there is room
    }
    for (int i = 0; i < size; i += 2) {
      packed[at++] = (byte) (codes.nearest(values[i]) << 4 | codes.nearest(values[i + 1]));
    }
  }

  private void addNested(
      List<TensorData> parts, String name, float[] absmax, StoredType type, long[] shape) {
    float offset = CascadeSum.mean(absmax);
    byte[] scales = new byte[absmax.length];
    float[] nestedAbsmax = new float[blocks(absmax.length, NESTED_BLOCK_SIZE)];
    for (int block = 0; block < nestedAbsmax.length; block++) {
      int from = block * NESTED_BLOCK_SIZE;
      int to = Math.min(from + NESTED_BLOCK_SIZE, absmax.length);
      float largest = 0;
      for (int i = from; i < to; i++) {
        float magnitude = Math.abs(absmax[i] - offset);
        largest = magnitude > largest ? magnitude : largest; // NaN does not count
      }
      nestedAbsmax[block] = largest;
      float factor = 1 / largest;
      for (int i = from; i < to && largest > 0; i++) {
        float x = (absmax[i] - offset) * factor;
        scales[i] = DynamicMap.code(Math.max(-1, Math.min(1, x)));
      }
    }
    parts.add(bytes(name + ".absmax", scales, scales.length));
    parts.add(quantMap(name));
    parts.add(TensorData.floats(name + ".nested_absmax", nestedAbsmax, nestedAbsmax.length));
    float[] map = DynamicMap.values();
    parts.add(TensorData.floats(name + ".nested_quant_map", map, map.length));
    parts.add(
        state(
            name,
            type,
            shape,
            ", \"nested_blocksize\": %d, \"nested_dtype\": \"float32\", \"nested_offset\": %s"
                .formatted(NESTED_BLOCK_SIZE, PythonFloat.text(offset))));
  }

  private static int blocks(int count, int blockSize) {
    return count / blockSize + (count % blockSize == 0 ? 0 : 1);
  }

  private TensorData quantMap(String name) {
    return TensorData.floats(name + ".quant_map", codes.values(), FourBitCodes.COUNT);
  }

  /** The JSON of a {@link QuantState}, as Python's json.dumps spaces it. */
  private TensorData state(String name, StoredType type, long[] shape, String nested) {
    String json =
        "{\"quant_type\": \"%s\", \"blocksize\": %d, \"dtype\": \"%s\", \"shape\": %s%s}"
            .formatted(
                scheme.type().text(),
                scheme.blockSize(),
                QuantState.torchName(TensorFiles.dtype(type)),
                Arrays.toString(shape),
                nested);
    byte[] bytes = json.getBytes(StandardCharsets.US_ASCII);
    return bytes(BitsAndBytes4Bit.stateName(name, scheme.type()), bytes, bytes.length);
  }

  private static TensorData bytes(String name, byte[] bytes, long... shape) {
    return TensorData.of(name, StoredType.U8, shape, ByteBuffer.wrap(bytes));
  }
}

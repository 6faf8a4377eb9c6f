package dev.graft.server.quantizing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A checkpoint of one linear layer, packed here code by code and not as the readers unpack it. It
 * can be spoiled before it is written.
 */
final class PackedCheckpoint {
  static final String MODULE = "model.layers.0.mlp.up_proj";
  static final String WEIGHT = MODULE + ".weight";

  private static final int[] AWQ_COLUMNS = {0, 2, 4, 6, 1, 3, 5, 7};
  private static final ObjectMapper JSON = new ObjectMapper();

  final int inputs;
  final int outputs;
  final int bits;

  /** The group of each input. */
  final int[] groups;

  private final int groupCount;
  private final int[][] codes; // [in][out]
  private final int[][] zeros; // [group][out]
  private final short[][] scales; // [group][out], bits of half precision

  final ObjectNode configuration = JSON.createObjectNode().put("model_type", "llama");
  final ObjectNode options = configuration.putObject("quantization_config");
  final Map<String, TensorData> tensors = new TreeMap<>();

  private PackedCheckpoint(int inputs, int outputs, int bits, int groupSize, Random random) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.bits = bits;
    int size = groupSize == -1 ? inputs : groupSize;
    this.groupCount = (inputs + size - 1) / size;
    this.groups = new int[inputs];
    for (int i = 0; i < inputs; i++) {
      groups[i] = i / size;
    }
    this.codes = numbers(inputs, 1 << bits, random);
    this.zeros = numbers(groupCount, 1 << bits, random);
    this.scales = new short[groupCount][outputs];
    for (short[] row : scales) {
      for (int i = 0; i < outputs; i++) {
        row[i] =
            (short) (random.nextInt(0x3C00) | (random.nextInt(2) << 15)); // below 1, both signs
      }
    }
    options.put("bits", bits).put("group_size", groupSize);
  }

  /** GPTQ without {@code g_idx}. */
  static PackedCheckpoint gptq(
      int inputs, int outputs, int bits, int groupSize, boolean lessOne, Random random) {
    PackedCheckpoint made = new PackedCheckpoint(inputs, outputs, bits, groupSize, random);
    made.options
        .put("quant_method", "gptq")
        .put("desc_act", false)
        .put("sym", false)
        .put("checkpoint_format", lessOne ? "gptq" : "gptq_v2");
    int[][] columns = new int[outputs][];
    for (int o = 0; o < outputs; o++) {
      int[] column = new int[inputs];
      for (int i = 0; i < inputs; i++) {
        column[i] = made.codes[i][o];
      }
      columns[o] = stream(column, bits);
    }
    int rows = columns[0].length;
    int[] qweight = new int[rows * outputs];
    for (int row = 0; row < rows; row++) {
      for (int o = 0; o < outputs; o++) {
        qweight[row * outputs + o] = columns[o][row];
      }
    }
    made.words("qweight", qweight, rows, outputs);
    int words = outputs * bits / 32;
    int[] qzeros = new int[made.groupCount * words];
    for (int group = 0; group < made.groupCount; group++) {
      int[] stored = lessOne ? made.lessOne(made.zeros[group]) : stream(made.zeros[group], bits);
      System.arraycopy(stored, 0, qzeros, group * words, words);
    }
    made.words("qzeros", qzeros, made.groupCount, words);
    made.halves();
    return made;
  }

  /** AWQ's GEMM layout. */
  static PackedCheckpoint awq(int inputs, int outputs, int groupSize, Random random) {
    PackedCheckpoint made = new PackedCheckpoint(inputs, outputs, 4, groupSize, random);
    made.options.put("quant_method", "awq").put("version", "gemm").put("zero_point", true);
    made.words("qweight", columns(made.codes), inputs, outputs / 8);
    made.words("qzeros", columns(made.zeros), made.groupCount, outputs / 8);
    made.halves();
    return made;
  }

  /** Gives inputs their groups in another order, and stores it. */
  PackedCheckpoint shuffled(Random random) {
    for (int i = inputs - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int group = groups[i];
      groups[i] = groups[j];
      groups[j] = group;
    }
    options.put("desc_act", true);
    return ordered();
  }

  /** Stores the group of each input. */
  PackedCheckpoint ordered() {
    words("g_idx", groups, inputs);
    return this;
  }

  /** [out, in], as a plain reading of the format gives it. */
  float[] expected() {
    float[] values = new float[outputs * inputs];
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < inputs; i++) {
        int group = groups[i];
        values[o * inputs + i] = (codes[i][o] - zeros[group][o]) * widened(scales[group][o]);
      }
    }
    return values;
  }

  Checkpoint write(Path directory) {
    try {
      Files.write(directory.resolve("config.json"), configurationBytes());
      Files.write(directory.resolve("model.safetensors"), fileBytes());
      return Checkpoint.open(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] configurationBytes() throws IOException {
    return JSON.writeValueAsBytes(configuration);
  }

  byte[] fileBytes() {
    return SafetensorsWriter.toBytes(tensors.values(), Map.of("format", "pt"));
  }

  void words(String suffix, int[] values, long... shape) {
    ByteBuffer bytes = buffer(values.length * Integer.BYTES);
    bytes.asIntBuffer().put(values);
    put(suffix, StoredType.I32, bytes, shape);
  }

  void put(String suffix, StoredType type, ByteBuffer bytes, long... shape) {
    String name = MODULE + "." + suffix;
    tensors.put(name, TensorData.of(name, type, shape, bytes));
  }

  /** Stores the scales in 32 bits. */
  PackedCheckpoint withFloatScales() {
    ByteBuffer bytes = buffer(groupCount * outputs * Float.BYTES);
    for (short[] row : scales) {
      for (short bitsOfHalf : row) {
        bytes.putFloat(widened(bitsOfHalf));
      }
    }
    put("scales", StoredType.F32, bytes.flip(), groupCount, outputs);
    return this;
  }

  /** Makes one scale this number of half precision. */
  PackedCheckpoint withScale(int bitsOfHalf) {
    scales[0][outputs / 2] = (short) bitsOfHalf;
    halves();
    return this;
  }

  private void halves() {
    ByteBuffer bytes = buffer(groupCount * outputs * Short.BYTES);
    for (short[] row : scales) {
      for (short bitsOfHalf : row) {
        bytes.putShort(bitsOfHalf);
      }
    }
    put("scales", StoredType.F16, bytes.flip(), groupCount, outputs);
  }

  private int[][] numbers(int rows, int end, Random random) {
    int[][] numbers = new int[rows][outputs];
    for (int[] row : numbers) {
      for (int i = 0; i < outputs; i++) {
        row[i] = random.nextInt(end);
      }
    }
    return numbers;
  }

  /** As AutoGPTQ subtracts: from whole words; 3 bits from each number alone. */
  private int[] lessOne(int[] zeroPoints) {
    if (bits == 3) {
      int[] less = new int[zeroPoints.length];
      for (int i = 0; i < less.length; i++) {
        less[i] = (zeroPoints[i] + 7) % 8;
      }
      return stream(less, bits);
    }
    int[] words = stream(zeroPoints, bits);
    for (int i = 0; i < words.length; i++) {
      words[i] -= bits == 4 ? 0x11111111 : 0x01010101;
    }
    return words;
  }

  /** Numbers one after the other, lowest bits first. */
  private static int[] stream(int[] numbers, int bits) {
    int[] words = new int[numbers.length * bits / 32];
    for (int bit = 0; bit < numbers.length * bits; bit++) {
      words[bit / 32] |= ((numbers[bit / bits] >> (bit % bits)) & 1) << (bit % 32);
    }
    return words;
  }

  private static int[] columns(int[][] numbers) {
    int words = numbers[0].length / 8;
    int[] packed = new int[numbers.length * words];
    for (int row = 0; row < numbers.length; row++) {
      for (int word = 0; word < words; word++) {
        for (int nibble = 0; nibble < 8; nibble++) {
          packed[row * words + word] |=
              numbers[row][8 * word + AWQ_COLUMNS[nibble]] << (4 * nibble);
        }
      }
    }
    return packed;
  }

  /** The value of a finite number of half precision. */
  private static float widened(short bitsOfHalf) {
    int exponent = (bitsOfHalf >> 10) & 31;
    int fraction = bitsOfHalf & 1023;
    double size =
        exponent == 0
            ? fraction * Math.pow(2, -24)
            : (fraction + 1024) * Math.pow(2, exponent - 25);
    return (float) (bitsOfHalf < 0 ? -size : size);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}

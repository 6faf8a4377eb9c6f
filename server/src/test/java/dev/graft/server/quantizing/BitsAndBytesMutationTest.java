package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.torch.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints with random damage are read, or refused with a domain error; nothing else. */
class BitsAndBytesMutationTest {
  private static final int ROUNDS = 300;
  private static final String NAME = "layer.weight";
  private static final long[] SHAPE = {9, 35}; // 315 values: odd, with a short last block
  private static final List<String> VALUES =
      List.of(
          "null",
          "0",
          "1",
          "-1",
          "2",
          "16",
          "63",
          "65536",
          "65538",
          "2147483648",
          "1e300",
          "0.5",
          "NaN",
          "-Infinity",
          "true",
          "\"\"",
          "\"fp4\"",
          "\"bfloat16\"",
          "[]",
          "{}",
          "[9, 35]");

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"load_in_4bit", "load_in_8bit"})
  void damageIsReadOrRefused(String flag) throws IOException {
    Random random = new Random(7);
    int read = 0;
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Path folder = write(flag, random, directory.resolve("round" + round));
      try {
        Optional<QuantizedWeight> found = BitsAndBytes.find(Checkpoint.open(folder), NAME, SHAPE);
        if (found.isPresent()) {
          assertThat(Decoding.decode(found.get(), DType.F32)).as("%d", round).hasSize(9 * 35);
          read++;
        }
      } catch (GraftException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(ROUNDS / 4);
    assertThat(read).isGreaterThan(ROUNDS / 8);
  }

  private static Path write(String flag, Random random, Path folder) throws IOException {
    float[] values = new float[9 * 35];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    BitsAndBytesScheme scheme =
        flag.equals("load_in_8bit")
            ? new BitsAndBytesScheme.Int8()
            : new BitsAndBytesScheme.FourBit(FourBitType.NF4, 64, random.nextBoolean());
    List<TensorData> tensors =
        new ArrayList<>(
            BitsAndBytes.quantizer(scheme).quantize(NAME, TensorData.floats(NAME, values, SHAPE)));
    if (random.nextBoolean()) {
      tensors.replaceAll(tensor -> withChangedValue(tensor, random));
    }
    String options =
        "{\"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"%s\": true}}"
            .formatted(flag);
    byte[] file = SafetensorsWriter.toBytes(tensors, Map.of());
    int header = Math.min(file.length, 1024);
    Files.createDirectory(folder);
    Files.writeString(folder.resolve("config.json"), options);
    Files.write(
        folder.resolve("model.safetensors"),
        damaged(file, random.nextInt(3) == 0 ? header : file.length, random));
    return folder;
  }

  /** A state with one of its values replaced; any other tensor as it is. */
  private static TensorData withChangedValue(TensorData tensor, Random random) {
    if (!tensor.name().contains(".quant_state.")) {
      return tensor;
    }
    String[] parts = StandardCharsets.UTF_8.decode(tensor.bytes()).toString().split(": ", -1);
    int at = 1 + random.nextInt(parts.length - 1);
    String value = VALUES.get(random.nextInt(VALUES.size()));
    int next = at == parts.length - 1 ? parts[at].indexOf('}') : parts[at].lastIndexOf(", \"");
    parts[at] = value + parts[at].substring(next);
    byte[] json = String.join(": ", parts).getBytes(StandardCharsets.UTF_8);
    return TensorData.of(
        tensor.name(), StoredType.U8, new long[] {json.length}, ByteBuffer.wrap(json));
  }

  /** Up to three bits turned among the first bytes, and sometimes the end cut off. */
  private static byte[] damaged(byte[] sound, int first, Random random) {
    byte[] bytes = sound.clone();
    for (int i = random.nextInt(4); i > 0; i--) {
      bytes[random.nextInt(first)] ^= (byte) (1 << random.nextInt(8));
    }
    return random.nextInt(8) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
  }
}

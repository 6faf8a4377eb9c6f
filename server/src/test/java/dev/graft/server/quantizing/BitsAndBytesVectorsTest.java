package dev.graft.server.quantizing;

import static dev.graft.server.quantizing.BitsAndBytesVectors.has;
import static dev.graft.server.quantizing.BitsAndBytesVectors.named;
import static dev.graft.server.quantizing.BitsAndBytesVectors.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.quantizing.BitsAndBytesVectors.Case;
import dev.graft.server.torch.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Decodes what bitsandbytes encoded, bit for bit as it decodes it. */
class BitsAndBytesVectorsTest {
  @TempDir static Path directory;

  private static Checkpoint fourBit;
  private static Checkpoint int8;

  @BeforeAll
  static void writeCheckpoints() throws IOException {
    List<TensorData> tensors = new ArrayList<>();
    for (Case c : BitsAndBytesVectors.fourBit()) {
      tensors.addAll(plain(c, c.key(), tensor(c.key() + ".packed")));
      tensors.addAll(nested(c, c.key() + ".dq"));
    }
    for (Case c : BitsAndBytesVectors.storages()) {
      tensors.addAll(plain(stored(c), c.key(), tensor(c.key() + ".packed")));
    }
    fourBit = write(directory.resolve("4bit"), "load_in_4bit", tensors);
    tensors.clear();
    for (Case c : BitsAndBytesVectors.int8()) {
      tensors.add(named(c.key() + ".weight", tensor(c.key() + ".weight")));
      tensors.add(named(c.key() + ".SCB", tensor(c.key() + ".SCB")));
      tensors.add(bytes(c.key() + ".weight_format", new byte[1]));
    }
    int8 = write(directory.resolve("int8"), "load_in_8bit", tensors);
  }

  /** The case of the same source under the usual type of bytes. */
  private static Case stored(Case storage) {
    return BitsAndBytesVectors.fourBit().stream()
        .filter(c -> storage.text("same_bytes_as").equals(c.key() + ".packed"))
        .findFirst()
        .orElseThrow();
  }

  private static List<TensorData> plain(Case c, String name, TensorData packed) {
    return List.of(
        named(name + ".weight", packed),
        named(name + ".weight.absmax", tensor(c.key() + ".absmax")),
        named(name + ".weight.quant_map", tensor("code." + c.type().text())),
        state(c, name, c.text("quant_state")));
  }

  private static List<TensorData> nested(Case c, String name) {
    return List.of(
        named(name + ".weight", tensor(c.key() + ".packed")),
        named(name + ".weight.absmax", tensor(c.key() + ".dq.absmax")),
        named(name + ".weight.quant_map", tensor("code." + c.type().text())),
        named(name + ".weight.nested_absmax", tensor(c.key() + ".dq.nested_absmax")),
        named(name + ".weight.nested_quant_map", tensor("dynamic_map")),
        state(c, name, c.text("quant_state_dq")));
  }

  private static TensorData state(Case c, String name, String json) {
    return bytes(
        name + ".weight.quant_state.bitsandbytes__" + c.type().text(),
        json.getBytes(StandardCharsets.UTF_8));
  }

  private static TensorData bytes(String name, byte[] bytes) {
    long[] shape = bytes.length == 1 ? new long[0] : new long[] {bytes.length};
    return TensorData.of(name, StoredType.U8, shape, ByteBuffer.wrap(bytes));
  }

  private static Checkpoint write(Path to, String flag, List<TensorData> tensors)
      throws IOException {
    Files.createDirectory(to);
    Files.writeString(
        to.resolve("config.json"),
        "{\"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"%s\": true}}"
            .formatted(flag));
    SafetensorsWriter.write(tensors, Map.of(), to.resolve("model.safetensors"));
    return Checkpoint.open(to);
  }

  static List<Case> fourBitCases() {
    return BitsAndBytesVectors.fourBit();
  }

  static List<Case> storageCases() {
    return BitsAndBytesVectors.storages();
  }

  static List<Case> int8Cases() {
    return BitsAndBytesVectors.int8();
  }

  @ParameterizedTest
  @MethodSource("fourBitCases")
  void decodesFourBits(Case c) {
    for (String kind : List.of("", ".dq")) {
      QuantizedWeight weight = find(fourBit, c.key() + kind, c);
      String golden = c.key() + kind + ".dequant";
      if (has(golden)) {
        float[] expected = BitsAndBytesVectors.floats(tensor(golden));
        assertThat(Decoding.bits(Decoding.decode(weight, Decoding.dtype(c.source()))))
            .as(golden)
            .isEqualTo(Decoding.bits(expected));
        // Whatever is asked for, values are first what the reference has.
        assertThat(Decoding.bits(Decoding.decode(weight, DType.F32)))
            .as(golden)
            .isEqualTo(Decoding.bits(expected));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("storageCases")
  void storageTypeOfTheBytesDoesNotMatter(Case c) {
    QuantizedWeight weight = find(fourBit, c.key(), c);
    assertThat(Decoding.bits(Decoding.decode(weight, DType.F32)))
        .isEqualTo(Decoding.bits(Decoding.decode(find(fourBit, stored(c).key(), c), DType.F32)));
  }

  @ParameterizedTest
  @MethodSource("int8Cases")
  void decodesInt8(Case c) {
    QuantizedWeight weight = find(int8, c.key(), c);
    if (has(c.key() + ".dequant")) {
      assertThat(Decoding.bits(Decoding.decode(weight, DType.F32)))
          .isEqualTo(Decoding.bits(tensor(c.key() + ".dequant").toFloats()));
    }
  }

  private static QuantizedWeight find(Checkpoint checkpoint, String module, Case c) {
    QuantizedWeight weight =
        BitsAndBytes.find(checkpoint, module + ".weight", c.shape()).orElseThrow();
    assertThat(weight.shape()).isEqualTo(c.shape());
    return weight;
  }
}

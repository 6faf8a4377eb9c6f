package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.HalfFloats;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole checkpoints that transformers wrote: read, and written again from what they came from. */
class BitsAndBytesFixturesTest {
  private static final Map<String, String> METADATA = Map.of("format", "pt");

  /** Folder, the unquantized model, and the type that the model had when it was quantized. */
  @ParameterizedTest
  @CsvSource({
    "llama_h72_nf4_dq, bnb/source/llama_h72, F32",
    "llama_h72_nf4_dq_bf16, bnb/source/llama_h72, BF16",
    "llama_h72_nf4_dq_fp16, bnb/source/llama_h72, F16",
    "llama_h72_fp4_dq, bnb/source/llama_h72, F32",
    "llama_h64_fp4, bnb/source/llama_h64, F32",
    "llama_h64_int8_bf16, bnb/source/llama_h64, BF16",
    "llama_mha_nf4_skip, /golden/llama_mha, F32",
    "gpt2_nf4_dq, /golden/gpt2, F32",
    "gpt2_int8, /golden/gpt2, F32",
    "qwen2_nf4_dq_bf16, /golden/qwen2, BF16",
    "qwen3_fp4, /golden/qwen3, F32",
    "bert_int8, /golden/bert, F32",
    "bert_odd_nf4_dq, bnb/source/bert_odd, F32",
  })
  void sourceIsQuantizedToTheSameFile(String name, String sourceName, StoredType type)
      throws IOException {
    Path directory = path("bnb/" + name);
    Checkpoint expected = Checkpoint.open(directory);
    Checkpoint source = Checkpoint.open(path(sourceName));
    BitsAndBytesScheme scheme = scheme(expected.configuration());
    List<TensorData> tensors = new ArrayList<>();
    for (String weight : weights(expected)) {
      if (isQuantized(expected, weight)) {
        TensorData original = read(source, expected, weight, type);
        tensors.addAll(BitsAndBytes.quantizer(scheme).quantize(weight, original));
      } else {
        tensors.add(read(source, expected, weight, type));
      }
    }
    assertThat(SafetensorsWriter.toBytes(tensors, METADATA))
        .isEqualTo(Files.readAllBytes(directory.resolve("model.safetensors")));
  }

  /** Names of all weights, quantized or not. */
  private static Set<String> weights(Checkpoint checkpoint) {
    Set<String> names = new TreeSet<>(checkpoint.names());
    names.removeIf(name -> name.contains(".weight."));
    names.removeIf(name -> name.endsWith(".SCB") || name.endsWith(".weight_format"));
    return names;
  }

  private static boolean isQuantized(Checkpoint checkpoint, String weight) {
    return switch (checkpoint.require(weight).type()) {
      case U8, I8 -> true;
      default -> false;
    };
  }

  /** A source's tensor as the model had it: in its type, and a quantized one [out, in]. */
  private static TensorData read(
      Checkpoint source, Checkpoint expected, String name, StoredType type) {
    TensorEntry entry =
        source
            .find(name)
            .or(() -> source.find(name.replaceFirst("^(transformer|model)\\.", "")))
            .orElseThrow();
    TensorData stored = TensorData.of(entry.name(), entry.type(), entry.shape(), entry.read());
    float[] values = BitsAndBytesVectors.floats(stored);
    long[] shape = entry.shape();
    if (expected.configuration().path("model_type").asText().equals("gpt2")
        && isQuantized(expected, name)) {
      values = transposed(values, (int) shape[0], (int) shape[1]);
      shape = new long[] {shape[1], shape[0]};
    }
    return TensorData.of(name, type, shape, bytes(values, type));
  }

  private static float[] transposed(float[] values, int rows, int columns) {
    float[] transposed = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      transposed[i % columns * rows + i / columns] = values[i];
    }
    return transposed;
  }

  private static ByteBuffer bytes(float[] values, StoredType type) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (type) {
        case F32 -> bytes.putFloat(value);
        case BF16 -> {
          int bits = Float.floatToIntBits(value);
          bytes.putShort((short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16));
        }
        case F16 -> bytes.putShort(HalfFloats.toFloat16(value));
        default -> throw new IllegalArgumentException(type.toString());
      }
    }
    return bytes.flip();
  }

  private static BitsAndBytesScheme scheme(JsonNode configuration) {
    JsonNode options = configuration.get("quantization_config");
    return options.get("load_in_8bit").booleanValue()
        ? new BitsAndBytesScheme.Int8()
        : new BitsAndBytesScheme.FourBit(
            FourBitType.valueOf(
                options.get("bnb_4bit_quant_type").textValue().toUpperCase(Locale.ROOT)),
            64,
            options.get("bnb_4bit_use_double_quant").booleanValue());
  }

  @ParameterizedTest
  @CsvSource({
    "llama_h72_nf4_dq, F32",
    "llama_h72_nf4_dq_bf16, BF16",
    "llama_h72_nf4_dq_fp16, F16",
    "llama_h64_fp4, F32",
    "llama_h64_int8_bf16, F32",
    "llama_mha_nf4_skip, F32",
    "bert_int8, F32",
  })
  void configurationIsWrittenAsTransformersDoes(String name, DType computeDtype)
      throws IOException {
    JsonNode configuration = Checkpoint.open(path("bnb/" + name)).configuration();
    JsonNode expected = configuration.get("quantization_config");
    Optional<List<String>> skipped =
        name.endsWith("skip")
            ? Optional.of(List.of("down_proj", "layers.1.self_attn.q_proj"))
            : Optional.empty();
    ObjectNode actual =
        BitsAndBytes.quantizationConfig(scheme(configuration), computeDtype, skipped);
    // As text, for the order counts too.
    ObjectMapper json = new ObjectMapper();
    assertThat(json.writeValueAsString(actual)).isEqualTo(json.writeValueAsString(expected));
  }

  /** What stays unquantized is not found, all else is, with the shape of a linear layer. */
  @ParameterizedTest
  @CsvSource({
    "llama_h72_nf4_dq, 14",
    "llama_h64_nf4_storage_bf16, 7",
    "llama_mha_nf4_skip, 12",
    "gpt2_nf4_dq, 8",
    "gpt2_int8, 8",
    "qwen3_fp4, 14",
    "bert_odd_nf4_dq, 13",
    "bert_int8, 19",
  })
  void findsQuantizedWeightsOnly(String name, int count) {
    Checkpoint checkpoint = Checkpoint.open(path("bnb/" + name));
    List<QuantizedWeight> found = new ArrayList<>();
    for (String weight : weights(checkpoint)) {
      long[] shape = shape(checkpoint, weight);
      BitsAndBytes.find(checkpoint, weight, shape).ifPresent(found::add);
    }
    assertThat(found).hasSize(count);
    for (QuantizedWeight weight : found) {
      assertThat(weight.entries()).extracting(TensorEntry::name).contains(weight.name());
      float[] values = Decoding.decode(weight, DType.F32);
      long expected = weight.shape()[0] * weight.shape()[1];
      assertThat((long) values.length).isEqualTo(expected);
    }
    if (name.startsWith("gpt2")) {
      String attention = "transformer.h.0.attn.c_attn.weight"; // [3 * 48, 48]
      assertThat(BitsAndBytes.find(checkpoint, attention, new long[] {144, 48})).isPresent();
    }
  }

  /** As the file says: only the model's code would know it. */
  private static long[] shape(Checkpoint checkpoint, String weight) {
    for (FourBitType type : FourBitType.values()) {
      Optional<TensorEntry> state = checkpoint.find(BitsAndBytes4Bit.stateName(weight, type));
      if (state.isPresent()) {
        String json = StandardCharsets.UTF_8.decode(state.get().read()).toString();
        String sizes = json.replaceFirst(".*\"shape\": \\[([^]]*)\\].*", "$1");
        return Arrays.stream(sizes.split(", ")).mapToLong(Long::parseLong).toArray();
      }
    }
    return checkpoint.require(weight).shape();
  }

  private static Path path(String resource) {
    URL url = BitsAndBytesFixturesTest.class.getResource(resource);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(resource, e);
    }
  }
}

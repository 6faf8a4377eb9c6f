package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

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
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that bitsandbytes did not write like this. */
class BitsAndBytesHostileTest {
  private static final String NAME = "layer.weight";
  private static final String STATE = NAME + ".quant_state.bitsandbytes__nf4";
  private static final long[] SHAPE = {5, 33}; // 165 values: 83 bytes, 3 blocks
  private static final String FOUR = "{\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true}";
  private static final String EIGHT =
      "{\"quant_method\": \"bitsandbytes\", \"load_in_8bit\": true}";

  @TempDir Path directory;

  private final Map<String, TensorData> tensors = new LinkedHashMap<>();

  private void quantize(BitsAndBytesScheme scheme) {
    float[] values = new float[165];
    Random random = new Random(4);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    BitsAndBytes.quantizer(scheme)
        .quantize(NAME, TensorData.floats(NAME, values, SHAPE))
        .forEach(tensor -> tensors.put(tensor.name(), tensor));
  }

  private void fourBits(boolean doubleQuantization) {
    quantize(new BitsAndBytesScheme.FourBit(FourBitType.NF4, 64, doubleQuantization));
  }

  private void replace(String name, StoredType type, byte[] bytes, long... shape) {
    tensors.put(name, TensorData.of(name, type, shape, ByteBuffer.wrap(bytes)));
  }

  private void editState(String from, String to) {
    String json = StandardCharsets.UTF_8.decode(tensors.get(STATE).bytes()).toString();
    assertThat(json).contains(from);
    byte[] edited = json.replace(from, to).getBytes(StandardCharsets.UTF_8);
    replace(STATE, StoredType.U8, edited, edited.length);
  }

  private Checkpoint checkpoint(String options) {
    try {
      Files.writeString(
          directory.resolve("config.json"), "{\"quantization_config\": %s}".formatted(options));
      SafetensorsWriter.write(tensors.values(), Map.of(), directory.resolve("model.safetensors"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return Checkpoint.open(directory);
  }

  private void assertRefused(String options, String reason, String tensor) {
    Checkpoint checkpoint = checkpoint(options);
    GraftException error =
        catchThrowableOfType(
            GraftException.class, () -> BitsAndBytes.find(checkpoint, NAME, SHAPE));
    assertThat(error).as("error").isNotNull();
    assertThat(error.reason()).as(error.getMessage()).isEqualTo(reason);
    assertThat(error.category()).isEqualTo(GraftException.Category.FAILED_PRECONDITION);
    assertThat(error.metadata()).containsEntry("tensor", tensor);
    assertThat(error.getMessage()).contains(tensor);
  }

  private float[] decode(String options) {
    return Decoding.decode(
        BitsAndBytes.find(checkpoint(options), NAME, SHAPE).orElseThrow(), DType.F32);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        NAME,
        NAME + ".absmax",
        NAME + ".quant_map",
        NAME + ".nested_absmax",
        NAME + ".nested_quant_map",
        STATE
      })
  void missingPartOfFourBits(String part) {
    fourBits(true);
    tensors.remove(part);
    assertRefused(FOUR, "MISSING_TENSOR", part);
  }

  @ParameterizedTest
  @ValueSource(strings = {NAME, "layer.SCB"})
  void missingPartOfInt8(String part) {
    quantize(new BitsAndBytesScheme.Int8());
    tensors.remove(part);
    assertRefused(EIGHT, "MISSING_TENSOR", part);
  }

  @Test
  void wrongLengths() {
    for (String part :
        new String[] {".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map"}) {
      fourBits(true);
      TensorData whole = tensors.get(NAME + part);
      int size = whole.type().bytes();
      byte[] more = new byte[whole.bytes().remaining() + size];
      replace(NAME + part, whole.type(), more, more.length / size);
      assertRefused(FOUR, "CORRUPT_CHECKPOINT", NAME + part);
      replace(NAME + part, whole.type(), new byte[0], 0);
      assertRefused(FOUR, "CORRUPT_CHECKPOINT", NAME + part);
    }
    fourBits(false);
    replace(NAME, StoredType.U8, new byte[84], 84, 1);
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", NAME);
    quantize(new BitsAndBytesScheme.Int8());
    replace("layer.SCB", StoredType.F32, new byte[16], 4);
    assertRefused(EIGHT, "CORRUPT_CHECKPOINT", "layer.SCB");
  }

  @Test
  void wrongTypes() {
    fourBits(false);
    replace(NAME + ".absmax", StoredType.U8, new byte[3], 3);
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", NAME + ".absmax");
    replace(NAME + ".absmax", StoredType.BF16, new byte[6], 1, 3);
    assertRefused(FOUR, "UNSUPPORTED_OPTION", NAME + ".absmax");
    quantize(new BitsAndBytesScheme.Int8());
    replace(NAME, StoredType.U8, new byte[165], SHAPE);
    assertRefused(EIGHT, "CORRUPT_CHECKPOINT", NAME);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"shape\": [5, 33] -> \"shape\": [33, 5]",
        "\"shape\": [5, 33] -> \"shape\": [5, 33, 1]",
        "\"shape\": [5, 33] -> \"shape\": [5, 18446744073709551649]",
        "\"shape\": [5, 33] -> \"shape\": {\"5\": 33}",
        "\"shape\": [5, 33] -> \"form\": [5, 33]",
        "\"blocksize\": 64 -> \"blocksize\": 0",
        "\"blocksize\": 64 -> \"blocksize\": -64",
        "\"blocksize\": 64 -> \"blocksize\": 64.5",
        "\"blocksize\": 64 -> \"blocksize\": 128",
        "\"blocksize\": 64 -> \"blocksize\": \"64\"",
        "\"nf4\" -> \"fp4\"",
        "\"nf4\", -> \"nf4\", \"quant_type\": \"nf4\",",
        "{ -> [",
        "} -> ",
        "} -> } }",
      })
  void stateThatLies(String edit) {
    fourBits(false);
    String[] fromTo = edit.split(" -> ?", 2);
    editState(fromTo[0], fromTo[1]);
    String named = edit.contains("128") ? NAME + ".absmax" : STATE;
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", named);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"blocksize\": 64 -> \"blocksize\": 63",
        "\"blocksize\": 64 -> \"blocksize\": 1000000000000000000000000000000",
        "\"dtype\": \"float32\", \"shape\" -> \"dtype\": \"float64\", \"shape\"",
        "\"nested_blocksize\": 256 -> \"nested_blocksize\": 4611686018427387904",
        "\"nested_dtype\": \"float32\" -> \"nested_dtype\": \"float16\"",
      })
  void settingsThatAreNotRead(String edit) {
    fourBits(true);
    String[] fromTo = edit.split(" -> ", 2);
    editState(fromTo[0], fromTo[1]);
    assertRefused(FOUR, "UNSUPPORTED_OPTION", STATE);
  }

  @Test
  void textsInPlaceOfNumbersAndNumbersWithoutEnd() {
    fourBits(true);
    editState("\"nested_offset\": ", "\"nested_offset\": \"0\", \"rest\": ");
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", STATE);
    fourBits(true);
    editState("\"nested_offset\": ", "\"nested_offset\": " + "9".repeat(5000) + ", \"rest\": ");
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", STATE);
    fourBits(true);
    editState("\"nested_offset\": ", "\"nested_offset\": " + "[".repeat(5000));
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", STATE);
    fourBits(true);
    replace(STATE, StoredType.U8, new byte[1 << 20], 1 << 20);
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", STATE);
    replace(STATE, StoredType.U8, new byte[0], 0);
    assertRefused(FOUR, "CORRUPT_CHECKPOINT", STATE);
  }

  @Test
  void oldTransposedConvention() {
    fourBits(false);
    TensorData packed = tensors.get(NAME);
    tensors.put(NAME, TensorData.of(NAME, packed.type(), new long[] {1, 83}, packed.bytes()));
    assertRefused(FOUR, "UNSUPPORTED_OPTION", NAME);
  }

  @Test
  void layoutsOfOldGpus() {
    quantize(new BitsAndBytesScheme.Int8());
    replace("layer.weight_format", StoredType.U8, new byte[] {2});
    assertRefused(EIGHT, "UNSUPPORTED_OPTION", "layer.weight_format");
    tensors.remove("layer.weight_format");
    assertThat(BitsAndBytes.find(checkpoint(EIGHT), NAME, SHAPE)).isPresent();
  }

  @Test
  void scaleThatIsNotANumberSpoilsItsBlockOnly() {
    fourBits(false);
    float[] absmax = tensors.get(NAME + ".absmax").toFloats();
    absmax[1] = Float.NaN;
    tensors.put(NAME + ".absmax", TensorData.floats(NAME + ".absmax", absmax, 3));
    float[] values = decode(FOUR);
    for (int i = 0; i < values.length; i++) {
      assertThat(Float.isNaN(values[i])).as("%d", i).isEqualTo(i / 64 == 1);
    }
  }

  @Test
  void offsetThatIsInfiniteIsRead() {
    fourBits(true);
    editState("\"nested_offset\": ", "\"nested_offset\": -Infinity, \"rest\": ");
    assertThat(Arrays.copyOf(decode(FOUR), 64)).contains(Float.NEGATIVE_INFINITY);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"quant_method\": \"bitsandbytes\"}",
        "{\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true, \"load_in_8bit\": true}",
        "{\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": \"yes\"}",
      })
  void configurationThatDoesNotDecide(String options) {
    fourBits(false);
    Checkpoint checkpoint = checkpoint(options);
    GraftException error =
        catchThrowableOfType(
            GraftException.class, () -> BitsAndBytes.find(checkpoint, NAME, SHAPE));
    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error.getMessage()).contains("quantization_config");
  }

  @Test
  void otherMethodsAreNotForUs() {
    fourBits(false);
    for (String options : new String[] {"null", "{\"quant_method\": \"gptq\"}"}) {
      assertThat(BitsAndBytes.find(checkpoint(options), NAME, SHAPE)).isEmpty();
    }
    assertThat(BitsAndBytes.find(checkpoint("{\"load_in_4bit\": true}"), NAME, SHAPE)).isPresent();
  }

  @Test
  void weightThatIsNotThereIsNotFound() {
    fourBits(false);
    assertThat(BitsAndBytes.find(checkpoint(FOUR), "other.weight", SHAPE)).isEmpty();
    assertThat(BitsAndBytes.find(checkpoint(FOUR), NAME + ".absmax", SHAPE)).isEmpty();
  }
}

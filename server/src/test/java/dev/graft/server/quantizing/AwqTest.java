package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.torch.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AwqTest {
  private static final int INPUTS = 96;
  private static final int OUTPUTS = 40;

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(ints = {-1, 1, 32, 96})
  void anyGroupSize(int groupSize) {
    PackedCheckpoint packed = packed(groupSize);
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void moreOutputsThanAreDecodedAtATime() {
    PackedCheckpoint packed = PackedCheckpoint.awq(8192, 136, 128, new Random(4));
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void storedZeroPointsCountWhateverZeroPointSays() {
    PackedCheckpoint packed = packed(32);
    packed.options.put("zero_point", false);
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void scalesOf32Bits() {
    PackedCheckpoint packed = packed(32).withFloatScales();
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void versionsInCapitalsAndAbsentOnes() {
    PackedCheckpoint packed = packed(32);
    packed.options.put("version", "GEMM");
    assertThat(decoded(packed)).isEqualTo(packed.expected());
    packed.options.remove("version");
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void saysWhatIsStored() {
    QuantizedWeight weight = find(packed(32)).orElseThrow();
    assertThat(weight.name()).isEqualTo(PackedCheckpoint.WEIGHT);
    assertThat(weight.shape()).containsExactly(OUTPUTS, INPUTS);
    assertThat(weight.entries())
        .extracting(entry -> entry.name().substring(PackedCheckpoint.MODULE.length() + 1))
        .containsExactly("qweight", "qzeros", "scales");
  }

  @ParameterizedTest
  @CsvSource({
    "model.layers.0.mlp.up_proj, true",
    "up_proj, true",
    "model.layers.0, true",
    "model.layers.0., true",
    "model.layers.0.mlp.up, false",
    "model.layers.1, false",
    "lm_head, false",
  })
  void modulesThatAreNotConverted(String module, boolean left) {
    PackedCheckpoint packed = packed(32);
    packed.options.putArray("modules_to_not_convert").add("visual").add(module);
    assertThat(find(packed).isEmpty()).isEqualTo(left);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bits | 8",
        "version | \"gemv\"",
        "version | \"gemv_fast\"",
        "version | \"marlin\"",
        "version | \"exllama\"",
        "format | \"gptq\"",
        "backend | \"llm-awq\"",
        "pack_dtype | \"int16\"",
        "dynamic | {\".*\": {\"group_size\": 64}}",
      })
  void settingsThatAreNotRead(String option, String value) {
    GraftException refusal = refusal(packed -> PackedSpoiling.set(packed.options, option, value));
    assertThat(refusal.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(refusal).hasMessageContaining(option);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bits | null",
        "group_size | 0",
        "group_size | 64",
        "group_size | 128",
        "zero_point | \"yes\"",
        "modules_to_not_convert | \"lm_head\"",
        "modules_to_not_convert | [1]",
      })
  void settingsThatNoCheckpointCanHave(String option, String value) {
    GraftException refusal = refusal(packed -> PackedSpoiling.set(packed.options, option, value));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining(option);
  }

  @Test
  void configurationMustSaySo() {
    GraftException refusal = refusal(packed -> packed.configuration.remove("quantization_config"));
    assertThat(refusal.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(refusal).hasMessageContaining("quantization_config");
  }

  @ParameterizedTest
  @CsvSource({"qweight", "qzeros", "scales"})
  void missingParts(String part) {
    GraftException refusal =
        refusal(packed -> packed.tensors.remove(PackedCheckpoint.MODULE + "." + part));
    assertThat(refusal.reason()).isEqualTo("MISSING_TENSOR");
    assertThat(refusal).hasMessageContaining(PackedCheckpoint.MODULE + "." + part);
  }

  static List<Arguments> wrongShapes() {
    return List.of(
        Arguments.of("qweight", new long[] {95, 5}),
        Arguments.of("qweight", new long[] {5, 96}),
        Arguments.of("qzeros", new long[] {96, 5}),
        Arguments.of("qzeros", new long[] {3, 40}));
  }

  @ParameterizedTest
  @MethodSource("wrongShapes")
  void wrongShapes(String part, long[] shape) {
    int[] words = new int[(int) (shape[0] * shape[1])];
    GraftException refusal = refusal(packed -> packed.words(part, words, shape));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining(PackedCheckpoint.MODULE + "." + part);
  }

  @Test
  void outputsThatAreNoWholeNumberOfWords() {
    GraftException refusal =
        PackedSpoiling.refusal(
            () ->
                Awq.find(
                    packed(32).write(directory),
                    PackedCheckpoint.WEIGHT,
                    new long[] {OUTPUTS + 1, INPUTS}));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining("no whole number of words");
  }

  @ParameterizedTest
  @CsvSource({"7C00", "FC00", "7E00"})
  void scalesThatAreNoNumbers(String bitsOfHalf) {
    PackedCheckpoint packed = packed(32).withScale(Integer.parseInt(bitsOfHalf, 16));
    GraftException refusal = PackedSpoiling.refusal(() -> decoded(packed));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining(PackedCheckpoint.MODULE + ".scales");
  }

  private static PackedCheckpoint packed(int groupSize) {
    return PackedCheckpoint.awq(INPUTS, OUTPUTS, groupSize, new Random(1));
  }

  private float[] decoded(PackedCheckpoint packed) {
    return PackedFixture.decode(find(packed).orElseThrow(), DType.F32);
  }

  private Optional<QuantizedWeight> find(PackedCheckpoint packed) {
    return Awq.find(
        packed.write(directory),
        PackedCheckpoint.WEIGHT,
        new long[] {packed.outputs, packed.inputs});
  }

  /** What a checkpoint that is sound but for one change is refused with. */
  private GraftException refusal(Consumer<PackedCheckpoint> change) {
    PackedCheckpoint packed = packed(32);
    change.accept(packed);
    return PackedSpoiling.refusal(() -> find(packed));
  }
}

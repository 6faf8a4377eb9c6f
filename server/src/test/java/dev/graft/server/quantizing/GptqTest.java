package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.torch.DType;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GptqTest {
  private static final int INPUTS = 96;
  private static final int OUTPUTS = 64;

  @TempDir private Path directory;

  static List<Arguments> settings() {
    List<Arguments> settings = new ArrayList<>();
    for (int bits : new int[] {3, 4, 8}) {
      for (int groupSize : new int[] {-1, 1, 32, 40, 96, 1000}) {
        settings.add(Arguments.of(bits, groupSize, true));
        settings.add(Arguments.of(bits, groupSize, false));
      }
    }
    return settings;
  }

  @ParameterizedTest
  @MethodSource("settings")
  void groupsInOrder(int bits, int groupSize, boolean lessOne) {
    PackedCheckpoint packed = packed(bits, groupSize, lessOne);
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @ParameterizedTest
  @MethodSource("settings")
  void groupsInAnyOrder(int bits, int groupSize, boolean lessOne) {
    PackedCheckpoint packed = packed(bits, groupSize, lessOne).shuffled(new Random(2));
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void anOrderThatIsStoredCountsWithoutDescAct() {
    PackedCheckpoint packed = packed(4, 32, true).shuffled(new Random(3));
    packed.options.put("desc_act", false);
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void absentFormatIsTheFirst() {
    PackedCheckpoint packed = packed(4, 32, true);
    packed.options.remove("checkpoint_format");
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void moreOutputsThanAreDecodedAtATime() {
    PackedCheckpoint packed =
        PackedCheckpoint.gptq(8192, 160, 4, 128, true, new Random(4)).shuffled(new Random(5));
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @Test
  void scalesOf32Bits() {
    PackedCheckpoint packed = packed(4, 32, true).withFloatScales();
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @ParameterizedTest
  @CsvSource({"F16, 4.9e-4", "BF16, 3.9e-3"})
  void castAtTheEnd(DType dtype, float halfUnit) {
    PackedCheckpoint packed = packed(4, 32, true);
    float[] values = PackedFixture.decode(find(packed).orElseThrow(), dtype);
    float[] expected = packed.expected();
    for (int i = 0; i < expected.length; i++) {
      assertThat(values[i])
          .isCloseTo(expected[i], Assertions.within(Math.abs(expected[i]) * halfUnit + 1e-7f));
    }
  }

  @Test
  void saysWhatIsStored() {
    QuantizedWeight weight = find(packed(4, 32, true).ordered()).orElseThrow();
    assertThat(weight.name()).isEqualTo(PackedCheckpoint.WEIGHT);
    assertThat(weight.shape()).containsExactly(OUTPUTS, INPUTS);
    assertThat(weight.entries())
        .extracting(entry -> entry.name().substring(PackedCheckpoint.MODULE.length() + 1))
        .containsExactly("qweight", "qzeros", "scales", "g_idx");
  }

  @Test
  void findsNothingWhereNothingIsPacked() {
    PackedCheckpoint packed = packed(4, 32, true);
    assertThat(Gptq.find(packed.write(directory), "model.norm.weight", new long[] {INPUTS}))
        .isEmpty();
    assertThat(find(packed, "model.embed_tokens.weight")).isEmpty();
    assertThat(find(packed, PackedCheckpoint.MODULE + ".bias")).isEmpty();
    packed.options.put("quant_method", "awq");
    assertThat(find(packed)).isEmpty();
  }

  @Test
  void rulesThatLeaveModulesAsTheyAreAreRead() {
    PackedCheckpoint packed = packed(4, 32, true);
    packed.options.putObject("dynamic").putObject("-:.*down_proj");
    assertThat(decoded(packed)).isEqualTo(packed.expected());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bits | 2",
        "bits | 5",
        "checkpoint_format | \"marlin\"",
        "checkpoint_format | \"gptq_p\"",
        "checkpoint_format | \"gemm\"",
        "format | \"gptq_v2\"",
        "method | \"awq\"",
        "pack_dtype | \"int64\"",
        "is_marlin_format | true",
        "adapter | {\"rank\": 8}",
        "rotation | \"hadamard\"",
        "dynamic | {\"+:.*up_proj\": {\"bits\": 8}}",
        "quant_method | null",
      })
  void settingsThatAreNotRead(String option, String value) {
    GraftException refusal = refusal(packed -> PackedSpoiling.set(packed.options, option, value));
    assertThat(refusal.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(refusal.metadata().get("option")).startsWith("quantization_config.");
    assertThat(refusal).hasMessageContaining(option);
  }

  @Test
  void marlinAsAMethod() {
    GraftException refusal = refusal(packed -> packed.options.put("quant_method", "marlin"));
    assertThat(refusal.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(refusal).hasMessageContaining("marlin");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bits | null",
        "bits | \"4\"",
        "bits | 4.0",
        "group_size | 0",
        "group_size | -2",
        "group_size | null",
        "group_size | 4294967296",
        "checkpoint_format | 1",
        "desc_act | 1",
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
    assertThat(refusal)
        .hasMessageContaining("quantize_config.json")
        .hasMessageContaining(PackedCheckpoint.MODULE);
  }

  @Test
  void configurationMustBeAnObject() {
    GraftException refusal =
        refusal(packed -> packed.configuration.put("quantization_config", "gptq"));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
  }

  @ParameterizedTest
  @CsvSource({"qweight", "qzeros", "scales"})
  void missingParts(String part) {
    GraftException refusal =
        refusal(packed -> packed.tensors.remove(PackedCheckpoint.MODULE + "." + part));
    assertThat(refusal.reason()).isEqualTo("MISSING_TENSOR");
    assertThat(refusal).hasMessageContaining(PackedCheckpoint.MODULE + "." + part);
  }

  @Test
  void anOrderMustBeThereWhereItCounts() {
    GraftException refusal = refusal(packed -> packed.options.put("desc_act", true));
    assertThat(refusal.reason()).isEqualTo("MISSING_TENSOR");
    assertThat(refusal).hasMessageContaining("g_idx");
  }

  @ParameterizedTest
  @CsvSource({"0, -1", "95, 3", "50, 2147483647", "7, -2147483648"})
  void groupsThatDoNotExist(int input, int group) {
    GraftException refusal =
        refusal(
            packed -> {
              packed.groups[input] = group;
              packed.ordered();
            });
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal)
        .hasMessageContaining("g_idx")
        .hasMessageContaining("input " + input)
        .hasMessageContaining(String.valueOf(group));
  }

  static List<Arguments> wrongShapes() {
    return List.of(
        Arguments.of("qweight", new long[] {13, 64}),
        Arguments.of("qweight", new long[] {64, 12}),
        Arguments.of("qweight", new long[] {12 * 64}),
        Arguments.of("qweight", new long[] {0, 64}),
        Arguments.of("qzeros", new long[] {2, 8}),
        Arguments.of("qzeros", new long[] {3, 64}),
        Arguments.of("g_idx", new long[] {95}),
        Arguments.of("g_idx", new long[] {1, 96}));
  }

  @ParameterizedTest
  @MethodSource("wrongShapes")
  void wrongShapes(String part, long[] shape) {
    int values = 1;
    for (long size : shape) {
      values *= (int) size;
    }
    int[] words = new int[values];
    GraftException refusal = refusal(packed -> packed.words(part, words, shape));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining(PackedCheckpoint.MODULE + "." + part);
  }

  @Test
  void wrongShapeOfTheModel() {
    GraftException refusal =
        PackedSpoiling.refusal(
            () ->
                Gptq.find(
                    packed(4, 32, true).write(directory),
                    PackedCheckpoint.WEIGHT,
                    new long[] {OUTPUTS, INPUTS + 8}));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining("qweight");
  }

  @ParameterizedTest
  @CsvSource({"64, 97", "63, 96", "64, 0", "0, 96"})
  void sizesThatBitsDoNotDivide(long outputs, long inputs) {
    GraftException refusal =
        PackedSpoiling.refusal(
            () ->
                Gptq.find(
                    packed(3, 32, true).write(directory),
                    PackedCheckpoint.WEIGHT,
                    new long[] {outputs, inputs}));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining("no whole number of words");
  }

  @ParameterizedTest
  @CsvSource({"qweight, I64", "qzeros, U32", "g_idx, F32", "scales, I32", "scales, F64"})
  void wrongTypes(String part, StoredType type) {
    GraftException refusal =
        refusal(
            packed -> {
              packed.ordered();
              long[] shape = packed.tensors.get(PackedCheckpoint.MODULE + "." + part).shape();
              long values = 1;
              for (long size : shape) {
                values *= size;
              }
              packed.put(part, type, ByteBuffer.allocate((int) values * type.bytes()), shape);
            });
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining(part).hasMessageContaining(type.name());
  }

  @ParameterizedTest
  @CsvSource({"7C00", "FC00", "7E00"})
  void scalesThatAreNoNumbers(String bitsOfHalf) {
    PackedCheckpoint packed = packed(4, 32, true).withScale(Integer.parseInt(bitsOfHalf, 16));
    GraftException refusal = PackedSpoiling.refusal(() -> decoded(packed));
    assertThat(refusal.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(refusal).hasMessageContaining(PackedCheckpoint.MODULE + ".scales");
  }

  private static PackedCheckpoint packed(int bits, int groupSize, boolean lessOne) {
    return PackedCheckpoint.gptq(INPUTS, OUTPUTS, bits, groupSize, lessOne, new Random(1));
  }

  private float[] decoded(PackedCheckpoint packed) {
    return PackedFixture.decode(find(packed).orElseThrow(), DType.F32);
  }

  private Optional<QuantizedWeight> find(PackedCheckpoint packed) {
    return find(packed, PackedCheckpoint.WEIGHT);
  }

  private Optional<QuantizedWeight> find(PackedCheckpoint packed, String weight) {
    return Gptq.find(packed.write(directory), weight, new long[] {packed.outputs, packed.inputs});
  }

  /** What a checkpoint that is sound but for one change is refused with. */
  private GraftException refusal(Consumer<PackedCheckpoint> change) {
    PackedCheckpoint packed = packed(4, 32, true);
    change.accept(packed);
    return PackedSpoiling.refusal(() -> find(packed));
  }
}

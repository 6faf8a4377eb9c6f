package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Features equal those of transformers, for every tiny model, padding, layer and kernel. */
class GoldenFeaturesTest {
  private static final double FP32_TOLERANCE = 1e-5;
  private static final double SIXTEEN_BITS_TOLERANCE = 2e-2;

  @TempDir Path temporary;

  static List<String> models() {
    return Stream.of("golden", "variants")
        .flatMap(folder -> Golden.models(folder).stream())
        .toList();
  }

  static List<String> modelsWithTokenTypes() {
    return models().stream().filter(model -> Golden.of(model).has("tt.token_type_ids")).toList();
  }

  static Stream<Arguments> leftPaddedModelsAndKernels() {
    return modelsAndKernels()
        .filter(arguments -> Golden.of((String) arguments.get()[0]).has("left.input_ids"));
  }

  static Stream<Arguments> modelsAndKernels() {
    return withKernels(models());
  }

  /** The variants have weights so large that 16 bits are not enough for any implementation. */
  static Stream<Arguments> commonModelsAndKernels() {
    return withKernels(Golden.models("golden"));
  }

  private static Stream<Arguments> withKernels(List<String> models) {
    return models.stream()
        .flatMap(
            model -> Stream.of(Kernel.MKL, Kernel.ONEDNN).map(each -> Arguments.of(model, each)));
  }

  @ParameterizedTest
  @MethodSource("modelsAndKernels")
  void hiddenStatesOfEveryLayer(String model, Kernel kernel) {
    Golden golden = Golden.of(model);
    try (Backbone backbone = load(golden.directory(), kernel)) {
      TokenBatch batch = batch(golden, "right");
      int last = backbone.info().blocks();
      for (int layer = 0; layer <= last; layer++) {
        assertThat(error(golden, backbone, batch, layer, "right.hidden_states." + layer))
            .as("layer %d", layer)
            .isLessThanOrEqualTo(FP32_TOLERANCE);
      }
      assertThat(error(golden, backbone, batch, last, "right.last_hidden_state"))
          .isLessThanOrEqualTo(FP32_TOLERANCE);
    }
  }

  private static double error(
      Golden golden, Backbone backbone, TokenBatch batch, int layer, String expected) {
    return Golden.relativeError(
        Features.of(backbone, batch, layer, ComputeDtype.FP32),
        golden.features(expected, "right.attention_mask"));
  }

  @ParameterizedTest
  @MethodSource("leftPaddedModelsAndKernels")
  void positionsCountFromTheFirstRealToken(String model, Kernel kernel) {
    Golden golden = Golden.of(model);
    try (Backbone backbone = load(golden.directory(), kernel)) {
      List<float[]> actual =
          Features.of(backbone, batch(golden, "left"), backbone.info().blocks(), ComputeDtype.FP32);
      List<float[]> expected = golden.features("left_pos.last_hidden_state", "left.attention_mask");
      assertThat(Golden.relativeError(actual, expected)).isLessThanOrEqualTo(FP32_TOLERANCE);
    }
  }

  @ParameterizedTest
  @MethodSource("modelsAndKernels")
  void aBatchEqualsItsRowsAlone(String model, Kernel kernel) {
    Golden golden = Golden.of(model);
    try (Backbone backbone = load(golden.directory(), kernel)) {
      int last = backbone.info().blocks();
      List<float[]> together =
          Features.of(backbone, batch(golden, "right"), last, ComputeDtype.FP32);
      List<float[]> alone = new ArrayList<>();
      for (long[] row : golden.rows("right.input_ids", "right.attention_mask")) {
        alone.addAll(Features.of(backbone, Golden.batch(List.of(row)), last, ComputeDtype.FP32));
      }
      assertThat(Golden.relativeError(together, alone)).isLessThanOrEqualTo(FP32_TOLERANCE);
    }
  }

  @ParameterizedTest
  @MethodSource("modelsAndKernels")
  void rowsAreThoseOfAll(String model, Kernel kernel) {
    Golden golden = Golden.of(model);
    try (Backbone backbone = load(golden.directory(), kernel)) {
      TokenBatch batch = batch(golden, "right");
      int size = backbone.info().hiddenSize();
      for (int layer = 0; layer <= backbone.info().blocks(); layer++) {
        List<float[]> all = Features.of(backbone, batch, layer, ComputeDtype.FP32);
        List<float[]> first = all.stream().map(row -> Arrays.copyOf(row, size)).toList();
        List<float[]> last =
            all.stream()
                .map(row -> Arrays.copyOfRange(row, row.length - size, row.length))
                .toList();
        assertThat(
                Golden.relativeError(
                    Features.of(backbone, Golden.only(Rows.FIRST, batch), layer, ComputeDtype.FP32),
                    first))
            .isLessThanOrEqualTo(FP32_TOLERANCE);
        assertThat(
                Golden.relativeError(
                    Features.of(backbone, Golden.only(Rows.LAST, batch), layer, ComputeDtype.FP32),
                    last))
            .isLessThanOrEqualTo(FP32_TOLERANCE);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("commonModelsAndKernels")
  void sixteenBitsStayClose(String model, Kernel kernel) {
    Golden golden = Golden.of(model);
    try (Backbone backbone = load(golden.directory(), kernel)) {
      int last = backbone.info().blocks();
      List<float[]> expected = golden.features("right.last_hidden_state", "right.attention_mask");
      // Few CPUs have oneDNN's products in fp16; measuring leaves them out there.
      List<ComputeDtype> dtypes =
          kernel == Kernel.ONEDNN
              ? List.of(ComputeDtype.BF16)
              : List.of(ComputeDtype.BF16, ComputeDtype.FP16);
      for (ComputeDtype dtype : dtypes) {
        List<float[]> actual = Features.of(backbone, batch(golden, "right"), last, dtype);
        assertThat(Golden.relativeError(actual, expected))
            .as("%s", dtype)
            .isLessThanOrEqualTo(SIXTEEN_BITS_TOLERANCE);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void configurationsFromBeforeTransformers5(String model) throws IOException {
    Golden golden = Golden.of(model);
    try (Stream<Path> files = Files.list(golden.directory())) {
      for (Path file : files.toList()) {
        Files.copy(file, temporary.resolve(file.getFileName()));
      }
    }
    Files.copy(
        golden.directory().resolve("config_v4.json"),
        temporary.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
    try (Backbone backbone = load(temporary, Kernel.MKL)) {
      int last = backbone.info().blocks();
      assertThat(error(golden, backbone, batch(golden, "right"), last, "right.last_hidden_state"))
          .isLessThanOrEqualTo(FP32_TOLERANCE);
    }
  }

  @ParameterizedTest
  @MethodSource("modelsWithTokenTypes")
  void tokenTypes(String model) {
    Golden golden = Golden.of(model);
    TokenBatch plain = batch(golden, "right");
    TokenBatch types = Golden.batch(golden.rows("tt.token_type_ids", "right.attention_mask"));
    TokenBatch batch = new TokenBatch(plain.ids(), types.ids(), plain.lengths(), Rows.ALL);
    try (Backbone backbone = load(golden.directory(), Kernel.MKL)) {
      int last = backbone.info().blocks();
      assertThat(error(golden, backbone, batch, last, "tt.last_hidden_state"))
          .isLessThanOrEqualTo(FP32_TOLERANCE);
    }
  }

  private static TokenBatch batch(Golden golden, String side) {
    return Golden.batch(golden.rows(side + ".input_ids", side + ".attention_mask"));
  }

  private static Backbone load(Path directory, Kernel kernel) {
    return Backbones.load(Checkpoint.open(directory), TestDevice.DEVICE, Features.only(kernel));
  }
}

package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.quantizing.QuantizedWeights;
import dev.graft.server.quantizing.TensorFiles;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Features of GPTQ and AWQ checkpoints are those of their decoded weights. */
class GptqAwqFeaturesTest {
  private static final String FOLDER = "dev/graft/server/quantizing/";
  private static final String CODES = "qweight";
  private static final double TOLERANCE = 2e-6;
  private static final int TEXTS = 3;

  @TempDir private Path decoded;

  static List<String> models() {
    return Stream.of("gptq", "awq")
        .flatMap(scheme -> Golden.models(FOLDER + scheme).stream())
        .toList();
  }

  static Stream<Arguments> modelsAndKernels() {
    return models().stream()
        .flatMap(
            model -> Stream.of(Kernel.MKL, Kernel.ONEDNN).map(each -> Arguments.of(model, each)));
  }

  @ParameterizedTest
  @MethodSource("modelsAndKernels")
  void thoseOfTransformers(String model, Kernel kernel) {
    Golden golden = Golden.of(model);
    try (Backbone backbone = load(golden.directory(), kernel)) {
      List<float[]> features = features(backbone, golden, ComputeDtype.FP32);
      for (int text = 0; text < TEXTS; text++) {
        assertThat(relativeError(features.get(text), golden.floats(text + ".hidden")))
            .as("text %d", text)
            .isLessThanOrEqualTo(TOLERANCE);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void theBytesOfAnUnquantizedCheckpointOfTheSameValues(String model) throws IOException {
    Golden golden = Golden.of(model);
    decode(Checkpoint.open(golden.directory()));
    try (Backbone backbone = load(golden.directory(), Kernel.MKL);
        Backbone plain = load(decoded, Kernel.MKL)) {
      for (ComputeDtype dtype : ComputeDtype.values()) {
        assertThat(features(backbone, golden, dtype))
            .as("%s", dtype)
            .usingRecursiveComparison()
            .isEqualTo(features(plain, golden, dtype));
      }
    }
  }

  private static Backbone load(Path directory, Kernel kernel) {
    return Backbones.load(
        Checkpoint.open(directory), TestDevice.DEVICE, Features.only(kernel), Long.MAX_VALUE);
  }

  private static List<float[]> features(Backbone backbone, Golden golden, ComputeDtype dtype) {
    List<long[]> rows =
        IntStream.range(0, TEXTS).mapToObj(text -> golden.longs(text + ".ids")).toList();
    return Features.of(backbone, Golden.batch(rows), backbone.info().blocks(), dtype);
  }

  /** The norm of the difference, as a part of the expected norm. */
  private static double relativeError(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / size);
  }

  /** Writes the checkpoint with its weights decoded to 32 bits. */
  private void decode(Checkpoint checkpoint) throws IOException {
    ObjectNode configuration = checkpoint.configuration().deepCopy();
    configuration.remove("quantization_config");
    new ObjectMapper().writeValue(decoded.resolve("config.json").toFile(), configuration);
    QuantizedWeights quantized = QuantizedWeights.of(checkpoint);
    List<TensorData> tensors = new ArrayList<>();
    try (Tensors operations = Tensors.on(TestDevice.DEVICE);
        Scope scope = Scope.open(TestDevice.DEVICE)) {
      TensorFiles files = new TensorFiles(scope, operations);
      for (TensorEntry entry : checkpoint.tensors()) {
        String suffix = entry.name().substring(entry.name().lastIndexOf('.') + 1);
        if (suffix.equals(CODES)) {
          QuantizedWeight weight = find(quantized, checkpoint, entry.name());
          float[] values = weight.decode(scope, files, DType.F32).toFloats();
          tensors.add(TensorData.floats(weight.name(), values, weight.shape()));
        } else if (!Set.of("qzeros", "scales", "g_idx").contains(suffix)) {
          tensors.add(TensorData.of(entry.name(), entry.type(), entry.shape(), entry.read()));
        }
      }
    }
    SafetensorsWriter.write(tensors, Map.of(), decoded.resolve("model.safetensors"));
  }

  private static QuantizedWeight find(
      QuantizedWeights quantized, Checkpoint checkpoint, String codes) {
    String prefix = codes.substring(0, codes.length() - CODES.length());
    long outputs = checkpoint.require(prefix + "scales").shape()[1];
    long inputs = prefix.endsWith(".down_proj.") ? 256 : 128;
    return quantized.find(prefix + "weight", new long[] {outputs, inputs}).orElseThrow();
  }
}

package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.WritableRoots;
import dev.graft.server.jobs.BackbonePlaces;
import dev.graft.server.jobs.QuantizationScheme;
import dev.graft.server.jobs.QuantizeJob;
import dev.graft.server.jobs.QuantizeRequest;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A copy in another scheme has the features of its source, whatever that is stored as. */
class QuantizedCopiesTest {
  private static final Path RESOURCES = Path.of("src/test/resources").toAbsolutePath();
  private static final String QUANTIZED = "dev/graft/server/quantizing/";
  private static final int[] IDS = {1, 5, 70, 2, 33, 9, 4, 98};

  private static Lanes lanes;

  @TempDir private Path output;

  @BeforeAll
  static void start() {
    lanes = Lanes.start(2);
  }

  @AfterAll
  static void stop() {
    lanes.close();
  }

  /** One of each way in which weights are stored. */
  static List<String> sources() {
    return List.of(
        QUANTIZED + "gptq/4bit-g32-asym",
        QUANTIZED + "gptq/4bit-g32-act-order-v2",
        QUANTIZED + "gptq/8bit-g64-sym",
        QUANTIZED + "gptq/3bit-g32-asym",
        QUANTIZED + "awq/gemm-4bit-g128",
        QUANTIZED + "bnb/llama_h72_nf4_dq_bf16",
        QUANTIZED + "bnb/llama_h64_nf4_storage_bf16",
        QUANTIZED + "bnb/llama_h64_fp4",
        QUANTIZED + "bnb/bert_int8",
        QUANTIZED + "bnb/gpt2_nf4_dq",
        "gguf/llama-tiny.q4_k_m.gguf",
        "gguf/llama-tiny.q8_0.gguf",
        "gguf/bert-tiny.q8_0.gguf",
        "golden/llama_sharded",
        "golden/bert_legacy_names");
  }

  static Stream<Arguments> sourcesAndSchemes() {
    return sources().stream()
        .flatMap(
            source ->
                Stream.of(QuantizationScheme.values()).map(scheme -> Arguments.of(source, scheme)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("sourcesAndSchemes")
  void hasTheFeaturesOfItsSource(String source, QuantizationScheme scheme) {
    boolean inGguf = scheme == QuantizationScheme.Q8_0 || scheme == QuantizationScheme.Q4_0;
    if (inGguf && source.contains("gpt2")) {
      GraftException refused =
          catchThrowableOfType(GraftException.class, () -> quantize(RESOURCES, source, scheme));
      assertThat(refused.reason()).isEqualTo("UNSUPPORTED_ARCHITECTURE");
      return;
    }
    QuantizeJob.Result result = quantize(RESOURCES, source, scheme);

    double difference = difference(RESOURCES.resolve(source), output.resolve("copy"));
    assertThat(difference).isLessThanOrEqualTo(bound(scheme));
    assertThat(result.relativeError()).isLessThanOrEqualTo(bound(scheme));
  }

  /** MiniLM as its exporter wrote it, with its own tokenizer. */
  @ParameterizedTest
  @EnumSource(QuantizationScheme.class)
  void anExportToOnnxIsASourceToo(QuantizationScheme scheme) throws IOException {
    Path source = Files.createDirectory(output.resolve("onnx"));
    for (String name : List.of("all-minilm-l6-v2.onnx", "all-minilm-l6-v2-tokenizer.json")) {
      try (InputStream file = QuantizedCopiesTest.class.getResourceAsStream("/" + name)) {
        Files.copy(file, source.resolve(name));
      }
    }
    quantize(output, "onnx", scheme);

    Checkpoint copy = Checkpoint.open(output.resolve("copy"));
    assertThat(difference(source, output.resolve("copy"))).isLessThanOrEqualTo(bound(scheme));
    assertThat(copy.tokenizerTree()).isPresent();
  }

  /** How far features may be: nothing where only the form is another. */
  private static double bound(QuantizationScheme scheme) {
    return switch (scheme) {
      case NONE -> 0;
      case Q8_0, INT8 -> 0.05;
      case NF4, FP4, Q4_0 -> 0.6;
    };
  }

  private QuantizeJob.Result quantize(Path root, String source, QuantizationScheme scheme) {
    QuantizeJob job =
        new QuantizeJob(
            TestDevice.DEVICE,
            lanes,
            BackbonePlaces.of(ModelRoots.of(List.of(root))),
            WritableRoots.of(List.of(output)),
            1 << 20);
    return job.run(
        new QuantizeRequest(
            source,
            scheme,
            Optional.of("copy"),
            64,
            false,
            Optional.of(StoredType.F32),
            Optional.empty(),
            Optional.empty(),
            Long.MAX_VALUE),
        new Ignoring());
  }

  private static double difference(Path source, Path copy) {
    float[] expected = features(source);
    float[] actual = features(copy);
    double squares = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      squares += Math.pow(actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(squares / size);
  }

  private static float[] features(Path model) {
    TokenBatch batch = TokenBatch.of(List.of(IDS), Collections.singletonList(null), Rows.ALL);
    try (Backbone backbone =
        Backbones.load(Checkpoint.open(model), TestDevice.DEVICE, Features.only(Kernel.MKL))) {
      return Features.of(backbone, batch, backbone.info().blocks(), ComputeDtype.FP32).get(0);
    }
  }

  private static final class Ignoring implements QuantizeJob.Listener {
    @Override
    public void onTensor(QuantizeJob.TensorReport report) {}

    @Override
    public void onFile(String name, long offset, long fileBytes, ByteBuffer data) {}

    @Override
    public void awaitRoom() {}
  }
}

package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.jobs.QuantizeFixture.Recording;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Lanes;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizeJobTest {
  /** Written by bitsandbytes and transformers. */
  private static final Path BNB = Path.of("src/test/resources/dev/graft/server/quantizing/bnb");

  private static Lanes lanes;

  @TempDir Path output;

  @BeforeAll
  static void start() {
    lanes = Lanes.start(2);
  }

  @AfterAll
  static void stop() {
    lanes.close();
  }

  private QuantizeJob job(FileOpener files) {
    return job(TestWorker.GOLDEN, files);
  }

  private QuantizeJob job(Path sources, FileOpener files) {
    return QuantizeFixture.job(lanes, sources, output, files);
  }

  private QuantizeJob.Result run(QuantizeRequest request, QuantizeJob.Listener listener) {
    return job(FileOpener.NEW_FILES).run(request, listener);
  }

  private static QuantizeRequest none(
      String source, Optional<String> destination, Optional<StoredType> type, long shardBytes) {
    return new QuantizeRequest(
        source,
        QuantizationScheme.NONE,
        destination,
        64,
        false,
        type,
        Optional.empty(),
        Optional.empty(),
        shardBytes);
  }

  private static QuantizeRequest copy(String source) {
    return none(source, Optional.of("made"), Optional.empty(), Long.MAX_VALUE);
  }

  @Test
  void anUnquantizedModelIsCopiedToTheByte() throws IOException {
    Recording events = new Recording();
    QuantizeJob.Result result = run(copy("llama_mha"), events);
    Path made = output.toRealPath().resolve("made");
    Path source = TestWorker.GOLDEN.resolve("llama_mha");
    assertThat(result.destination()).contains(made);
    assertThat(made.resolve("model.safetensors"))
        .hasSameBinaryContentAs(source.resolve("model.safetensors"));
    assertThat(made.resolve("config.json")).hasSameBinaryContentAs(source.resolve("config.json"));
    assertThat(result.digest()).isEqualTo(Checkpoint.open(source).digest());
    assertThat(result.relativeError()).isZero();
    assertThat(result.resultBytes()).isEqualTo(result.sourceBytes());
    assertThat(events.reports).hasSize(Checkpoint.open(source).names().size());
    for (int i = 0; i < events.reports.size(); i++) {
      assertThat(events.reports.get(i).index()).isEqualTo(i);
      assertThat(events.reports.get(i).total()).isEqualTo(events.reports.size());
    }
    assertThat(QuantizeFixture.left(output)).containsExactly("made");
  }

  @Test
  void castingHalvesTheSizeAndTellsTheError() {
    Recording events = new Recording();
    QuantizeJob.Result result =
        run(
            none("gpt2", Optional.of("half"), Optional.of(StoredType.BF16), Long.MAX_VALUE),
            events);
    assertThat(result.resultBytes()).isEqualTo(result.sourceBytes() / 2);
    assertThat(result.relativeError()).isBetween(1e-4, 3e-3);
    Checkpoint made = Checkpoint.open(output.resolve("half"));
    assertThat(made.configuration().get("dtype").textValue()).isEqualTo("bfloat16");
    assertThat(made.tensors()).allMatch(tensor -> tensor.type() == StoredType.BF16);
    assertThat(events.reports)
        .allSatisfy(report -> assertThat(report.maxError()).isBetween(0.0, 0.05));
  }

  @Test
  void largeModelsAreWrittenInShards() {
    run(none("llama_mha", Optional.of("shards"), Optional.empty(), 40_000), new Recording());
    Path made = output.resolve("shards");
    assertThat(made.resolve("model.safetensors.index.json")).exists();
    assertThat(made.resolve("model-00001-of-00006.safetensors")).exists();
    assertThat(Checkpoint.open(made).digest())
        .isEqualTo(Checkpoint.open(TestWorker.GOLDEN.resolve("llama_mha")).digest());
  }

  /** NAME, its source, what the source is cast to, and what is recorded. */
  static Stream<Arguments> fixtures() {
    return Stream.of(
        Arguments.of("llama_h72_nf4_dq", "llama_h72", "NF4", true, null, null, List.of()),
        Arguments.of("llama_h72_fp4_dq", "llama_h72", "FP4", true, null, null, List.of()),
        Arguments.of(
            "llama_h72_nf4_dq_bf16",
            "llama_h72",
            "NF4",
            true,
            StoredType.BF16,
            DType.BF16,
            List.of()),
        Arguments.of(
            "llama_h72_nf4_dq_fp16",
            "llama_h72",
            "NF4",
            true,
            StoredType.F16,
            DType.F16,
            List.of()),
        Arguments.of("llama_h64_fp4", "llama_h64", "FP4", false, StoredType.F32, null, List.of()),
        Arguments.of("llama_h64_int8_bf16", "llama_h64", "INT8", false, null, null, List.of()),
        Arguments.of("bert_odd_nf4_dq", "bert_odd", "NF4", true, null, null, List.of()),
        Arguments.of("bert_int8", "bert", "INT8", false, null, null, List.of()),
        Arguments.of("gpt2_nf4_dq", "gpt2", "NF4", true, null, null, List.of()),
        Arguments.of("gpt2_int8", "gpt2", "INT8", false, null, null, List.of()),
        Arguments.of(
            "qwen2_nf4_dq_bf16", "qwen2", "NF4", true, StoredType.BF16, DType.BF16, List.of()),
        Arguments.of("qwen3_fp4", "qwen3", "FP4", false, null, null, List.of()),
        Arguments.of(
            "llama_mha_nf4_skip",
            "llama_mha",
            "NF4",
            true,
            null,
            null,
            List.of("down_proj", "layers.1.self_attn.q_proj")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("fixtures")
  void bitsandbytesItselfWritesTheSameBytes(
      String fixture,
      String source,
      String scheme,
      boolean doubleQuantization,
      StoredType type,
      DType computeDtype,
      List<String> skipModules)
      throws IOException {
    Path sources =
        Files.exists(BNB.resolve("source").resolve(source))
            ? BNB.resolve("source")
            : TestWorker.GOLDEN;
    QuantizeRequest request =
        new QuantizeRequest(
            source,
            QuantizationScheme.valueOf(scheme),
            Optional.of("made"),
            64,
            doubleQuantization,
            Optional.ofNullable(type),
            Optional.ofNullable(computeDtype),
            skipModules.isEmpty() ? Optional.empty() : Optional.of(skipModules),
            Long.MAX_VALUE);
    QuantizeJob.Result result = job(sources, FileOpener.NEW_FILES).run(request, new Recording());
    assertThat(output.resolve("made/model.safetensors"))
        .hasSameBinaryContentAs(BNB.resolve(fixture).resolve("model.safetensors"));
    // Sources and fixtures were written by different versions of transformers.
    assertThat(config(output.resolve("made"))).isEqualTo(config(BNB.resolve(fixture)));
    assertThat(result.relativeError()).isBetween(1e-4, 0.2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama_h72_nf4_dq", "gpt2_int8", "bert_odd_nf4_dq", "llama_mha_nf4_skip"})
  void aQuantizedModelIsDecodedAndQuantizedAgain(String quantized) throws IOException {
    job(BNB, FileOpener.NEW_FILES)
        .run(none(quantized, Optional.of("plain"), Optional.empty(), 1 << 30), new Recording());
    Checkpoint plain = Checkpoint.open(output.resolve("plain"));
    assertThat(plain.configuration().has("quantization_config")).isFalse();
    assertThat(plain.tensors()).allMatch(tensor -> tensor.type() == StoredType.F32);
    String again = quantized.replaceFirst(".*_(nf4|int8).*", "$1").toUpperCase(Locale.ROOT);
    QuantizeJob.Result result =
        job(output, FileOpener.NEW_FILES)
            .run(
                new QuantizeRequest(
                    "plain",
                    QuantizationScheme.valueOf(again),
                    Optional.of("again"),
                    64,
                    false,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    1 << 30),
                new Recording());
    assertThat(result.relativeError()).isLessThan(0.08);
  }

  @Test
  void theMethodMayBeInCapitals() throws IOException {
    Path source = Files.createDirectory(output.resolve("source"));
    Path fixture = BNB.resolve("llama_h72_nf4_dq");
    Files.copy(fixture.resolve("model.safetensors"), source.resolve("model.safetensors"));
    Files.writeString(
        source.resolve("config.json"),
        Files.readString(fixture.resolve("config.json"))
            .replace("\"bitsandbytes\"", "\"BitsAndBytes\""));
    job(output, FileOpener.NEW_FILES)
        .run(none("source", Optional.of("plain"), Optional.empty(), 1 << 30), new Recording());

    assertThat(Checkpoint.open(output.resolve("plain")).tensors())
        .allMatch(tensor -> tensor.type() == StoredType.F32);
  }

  private static String config(Path directory) throws IOException {
    return Files.readString(directory.resolve("config.json"))
        .replaceAll("\"transformers_version\": \"[^\"]*\"", "");
  }

  @Test
  void withoutDestinationTheFilesAreHandedOver() throws IOException {
    Recording events = new Recording();
    run(none("bert", Optional.empty(), Optional.empty(), Long.MAX_VALUE), events);
    assertThat(events.files).containsOnlyKeys("config.json", "config_v4.json", "model.safetensors");
    assertThat(events.files.get("model.safetensors").array())
        .isEqualTo(Files.readAllBytes(TestWorker.GOLDEN.resolve("bert/model.safetensors")));
    assertThat(QuantizeFixture.left(output)).isEmpty();
  }

  @Test
  void aDestinationMustBeNewAndInside() throws IOException {
    Files.createDirectory(output.resolve("there"));
    Files.createSymbolicLink(output.resolve("out"), TestWorker.GOLDEN.toAbsolutePath());
    Map<String, String> reasons =
        Map.of(
            "there", "DESTINATION_EXISTS",
            ".", "DESTINATION_EXISTS",
            "../beside", "OUTSIDE_WRITABLE_ROOTS",
            "/made", "OUTSIDE_WRITABLE_ROOTS",
            "out/made", "OUTSIDE_WRITABLE_ROOTS",
            "missing/made", "INVALID_DESTINATION");
    reasons.forEach(
        (destination, reason) -> {
          QuantizeRequest request =
              none("bert", Optional.of(destination), Optional.empty(), Long.MAX_VALUE);
          GraftException refused =
              catchThrowableOfType(GraftException.class, () -> run(request, new Recording()));
          assertThat(refused.reason()).as(destination).isEqualTo(reason);
        });
    assertThat(QuantizeFixture.left(output)).containsExactlyInAnyOrder("there", "out");
  }

  @Test
  void cancellingLeavesNothing() throws IOException {
    QuantizeJob job = job(FileOpener.NEW_FILES);
    Recording cancelling =
        new Recording() {
          @Override
          public void onTensor(QuantizeJob.TensorReport report) {
            super.onTensor(report);
            job.cancel();
          }
        };
    assertThatThrownBy(() -> job.run(copy("llama_mha"), cancelling))
        .isInstanceOf(CancellationException.class);
    assertThat(cancelling.reports).hasSize(1);
    assertThat(QuantizeFixture.left(output)).isEmpty();
    assertThat(Thread.interrupted()).isFalse();
  }

  /** While tensors are converted, and when the result is put together. */
  @ParameterizedTest
  @ValueSource(strings = {".spool", ".safetensors", "config.json"})
  @EnabledOnOs(OS.LINUX)
  void aFullDiskLeavesNothing(String ending) throws IOException {
    FileOpener full =
        file ->
            file.toString().endsWith(ending)
                ? FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE)
                : FileOpener.NEW_FILES.create(file);
    QuantizeRequest request =
        none("llama_mha", Optional.of("made"), Optional.of(StoredType.BF16), Long.MAX_VALUE);
    GraftException refused =
        catchThrowableOfType(GraftException.class, () -> job(full).run(request, new Recording()));
    assertThat(refused.reason()).isEqualTo("DISK_FULL");
    assertThat(refused.category()).isEqualTo(GraftException.Category.RESOURCE_EXHAUSTED);
    assertThat(QuantizeFixture.left(output)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 0.9999})
  void aDiskThatFillsUpLeavesNothing(double share) throws IOException {
    QuantizeRequest request =
        new QuantizeRequest(
            "llama_mha",
            QuantizationScheme.NF4,
            Optional.of("made"),
            64,
            true,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            40_000);
    SmallDisk large = new SmallDisk(Long.MAX_VALUE);
    job(large).run(request, new Recording());
    QuantizeFixture.delete(output.resolve("made"));

    SmallDisk full = new SmallDisk((long) (share * large.written()));
    GraftException refused =
        catchThrowableOfType(GraftException.class, () -> job(full).run(request, new Recording()));

    assertThat(refused.reason()).isEqualTo("DISK_FULL");
    assertThat(QuantizeFixture.left(output)).isEmpty();
    job(new SmallDisk(large.written())).run(request, new Recording());
    assertThat(QuantizeFixture.left(output)).containsExactly("made");
  }
}

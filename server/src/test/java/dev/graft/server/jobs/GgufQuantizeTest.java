package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.Gguf;
import dev.graft.server.checkpoints.GgufTensor;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.jobs.QuantizeFixture.Recording;
import dev.graft.server.torch.Lanes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Writing GGUF, against what llama.cpp's converter and quantizer wrote for the same model. */
class GgufQuantizeTest {
  /** llama.cpp's files. */
  private static final Path LLAMA_CPP = Path.of("src/test/resources/gguf");

  private static final ObjectMapper JSON = new ObjectMapper();

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

  private QuantizeJob job(Path sources, FileOpener files) {
    return QuantizeFixture.job(lanes, sources, output, files);
  }

  private QuantizeJob.Result run(Path sources, QuantizeRequest request) {
    return job(sources, FileOpener.NEW_FILES).run(request, new Recording());
  }

  private static QuantizeRequest request(
      String source, QuantizationScheme scheme, Optional<String> destination) {
    return new QuantizeRequest(
        source,
        scheme,
        destination,
        64,
        false,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Long.MAX_VALUE);
  }

  private static QuantizeRequest request(
      String source, QuantizationScheme scheme, String destination) {
    return request(source, scheme, Optional.of(destination));
  }

  @ParameterizedTest
  @CsvSource({"llama-tiny,Q8_0", "llama-tiny,Q4_0", "bert-tiny,Q8_0"})
  void tensorsHaveTheBytesOfLlamaCpp(String model, QuantizationScheme scheme) throws IOException {
    String reference = model + "." + scheme.name().toLowerCase(Locale.ROOT) + ".gguf";

    run(LLAMA_CPP, request(model + ".f32.gguf", scheme, "made"));

    assertThat(QuantizeFixture.left(output.resolve("made")))
        .containsExactly("model-" + scheme + ".gguf");
    assertSameFile(
        output.resolve("made/model-" + scheme + ".gguf"), LLAMA_CPP.resolve(reference), scheme);
  }

  /** The source is what transformers would save, with its tokenizer. */
  @ParameterizedTest
  @CsvSource({"llama-tiny,Q8_0", "llama-tiny,Q4_0", "bert-tiny,Q8_0"})
  void soDoThoseOfADirectory(String model, QuantizationScheme scheme) throws IOException {
    String reference = model + "." + scheme.name().toLowerCase(Locale.ROOT) + ".gguf";
    run(LLAMA_CPP, request(model + ".f32.gguf", QuantizationScheme.NONE, "plain"));
    assertThat(QuantizeFixture.left(output.resolve("plain")))
        .containsExactlyInAnyOrder("config.json", "model.safetensors", "tokenizer.json");

    run(output, request("plain", scheme, "made"));

    assertSameFile(
        output.resolve("made/model-" + scheme + ".gguf"), LLAMA_CPP.resolve(reference), scheme);
  }

  /** All but the output of Q4_0, which llama.cpp has in Q6_K. */
  private static void assertSameFile(Path made, Path reference, QuantizationScheme scheme) {
    Map<String, GgufTensor> tensors = Gguf.open(made).tensors();
    Map<String, GgufTensor> expected = Gguf.open(reference).tensors();
    assertThat(tensors).containsOnlyKeys(expected.keySet());
    expected.forEach(
        (name, tensor) -> {
          if (scheme == QuantizationScheme.Q4_0 && name.equals("output.weight")) {
            assertThat(tensors.get(name).type().name()).isEqualTo("Q8_0");
            return;
          }
          assertThat(tensors.get(name).type()).as(name).isEqualTo(tensor.type());
          assertThat(tensors.get(name).shape()).as(name).isEqualTo(tensor.shape());
          assertThat(tensors.get(name).entry().read()).as(name).isEqualTo(tensor.entry().read());
        });
    Checkpoint one = Checkpoint.open(made);
    Checkpoint other = Checkpoint.open(reference);
    assertThat(settings(one)).isEqualTo(settings(other));
    assertThat(one.tokenizerText()).isEqualTo(other.tokenizerText());
  }

  private static ObjectNode settings(Checkpoint checkpoint) {
    ObjectNode settings = checkpoint.configuration().deepCopy();
    settings.remove("quantization_config");
    return settings;
  }

  @Test
  void itIsDecodedAgain() throws IOException {
    run(LLAMA_CPP, request("llama-tiny.q4_k_m.gguf", QuantizationScheme.Q8_0, "made"));
    run(output, request("made", QuantizationScheme.NONE, "plain"));
    QuantizeJob.Result again = run(output, request("plain", QuantizationScheme.Q8_0, "again"));

    assertThat(again.digest()).isEqualTo(Checkpoint.open(output.resolve("made")).digest());
    assertThat(output.resolve("again/model-Q8_0.gguf"))
        .hasSameBinaryContentAs(output.resolve("made/model-Q8_0.gguf"));
    assertThat(again.relativeError()).isLessThan(1e-6);
  }

  @ParameterizedTest
  @CsvSource({
    "llama_gqa,Q8_0,0.008",
    "llama_mha,Q8_0,0.008",
    "llama_tied,Q4_0,0.12",
    "llama_bf16,Q4_0,0.12",
    "llama_sharded,Q8_0,0.008",
    "qwen2,Q8_0,0.008",
    "qwen3,Q4_0,0.12",
    "bert,Q4_0,0.12",
    "bert_legacy_names,Q8_0,0.008"
  })
  void everyFamilyIsWritten(String source, QuantizationScheme scheme, double error)
      throws IOException {
    Recording events = new Recording();
    QuantizeJob.Result result =
        job(TestWorker.GOLDEN, FileOpener.NEW_FILES).run(request(source, scheme, "made"), events);

    Checkpoint made = Checkpoint.open(result.destination().orElseThrow());
    assertThat(result.digest()).isEqualTo(made.digest());
    assertThat(result.relativeError()).isBetween(0.0, error);
    assertThat(events.reports).hasSize(made.names().size());
    assertThat(events.reports)
        .allSatisfy(report -> assertThat(report.relativeError()).isLessThan(error));
    assertThat(result.resultBytes()).isEqualTo(made.bytes());
  }

  @Test
  void rowsThatAreNoWholeBlocksStayInSixteenBits() throws IOException {
    run(TestWorker.GOLDEN, request("qwen2", QuantizationScheme.Q8_0, "made")); // rows of 48 and 96
    Map<String, GgufTensor> tensors = Gguf.open(output.resolve("made/model-Q8_0.gguf")).tensors();

    assertThat(tensors.get("blk.0.attn_q.weight").type().name()).isEqualTo("F16");
    assertThat(tensors.get("blk.0.ffn_down.weight").type().name()).isEqualTo("Q8_0");
    assertThat(tensors.get("blk.0.attn_q.bias").type().name()).isEqualTo("F32");
    assertThat(tensors.get("blk.0.attn_norm.weight").type().name()).isEqualTo("F32");
  }

  @Test
  void skippedModulesStayAsTheyAre() throws IOException {
    QuantizeRequest skipping =
        new QuantizeRequest(
            "llama-tiny.f32.gguf",
            QuantizationScheme.Q4_0,
            Optional.of("made"),
            64,
            false,
            Optional.of(StoredType.BF16),
            Optional.empty(),
            Optional.of(List.of("q_proj", "embed_tokens")),
            Long.MAX_VALUE);
    run(LLAMA_CPP, skipping);
    Map<String, GgufTensor> tensors = Gguf.open(output.resolve("made/model-Q4_0.gguf")).tensors();

    assertThat(tensors.get("blk.1.attn_q.weight").type().name()).isEqualTo("BF16");
    assertThat(tensors.get("token_embd.weight").type().name()).isEqualTo("BF16");
    assertThat(tensors.get("blk.1.attn_k.weight").type().name()).isEqualTo("Q4_0");
    assertThat(tensors.get("output_norm.weight").type().name()).isEqualTo("F32");
  }

  @Test
  void theStretchingOfLlama3IsATensor() throws IOException {
    copy("llama_rope_llama3", config -> rope(config, 8192));
    QuantizeJob.Result result = run(output, request("source", QuantizationScheme.Q8_0, "made"));

    assertThat(Gguf.open(output.resolve("made/model-Q8_0.gguf")).tensors())
        .containsKey("rope_freqs.weight");
    assertThat(
            Checkpoint.open(result.destination().orElseThrow())
                .configuration()
                .at("/rope_scaling/rope_type")
                .asText())
        .isEqualTo("llama3");
  }

  private static void rope(ObjectNode config, int original) {
    ((ObjectNode) config.get("rope_parameters")).put("original_max_position_embeddings", original);
  }

  @Test
  void refusesWhatGgufCannotSay() throws IOException {
    assertRefused("gpt2", config -> {}, "UNSUPPORTED_ARCHITECTURE", "gpt2");
    assertRefused("roberta", config -> {}, "UNSUPPORTED_ARCHITECTURE", "roberta");
    assertRefused("mistral", config -> {}, "UNSUPPORTED_OPTION", "GGUF cannot say that");
    assertRefused(
        "bert",
        config -> config.put("hidden_act", "relu"),
        "UNSUPPORTED_OPTION",
        "hidden_act is RELU");
    assertRefused("llama_rope_llama3", config -> {}, "UNSUPPORTED_OPTION", "of Llama 3.1");
    assertRefused(
        "llama_gqa",
        config -> config.putObject("rope_scaling").put("rope_type", "dynamic").put("factor", 2.0),
        "UNSUPPORTED_OPTION",
        "rope_type = \"dynamic\"");
    // An architecture that does not fit its tensors.
    assertRefused(
        "llama_gqa",
        config -> config.put("num_hidden_layers", 9),
        "MISSING_TENSOR",
        "model.layers.");
  }

  @Test
  void headsAreLeftOut() throws IOException {
    copy("bert_mlm", config -> config.put("hidden_act", "gelu"));
    run(output, request("source", QuantizationScheme.Q8_0, "made"));

    assertThat(Checkpoint.open(output.resolve("source")).names())
        .anyMatch(name -> name.startsWith("cls."));
    assertThat(Gguf.open(output.resolve("made/model-Q8_0.gguf")).tensors().keySet())
        .allMatch(
            name ->
                name.startsWith("blk.")
                    || name.startsWith("token_")
                    || name.startsWith("position_"));
  }

  @Test
  void aWindowThatIsNeverFullIsNone() throws IOException {
    copy("mistral", config -> config.put("sliding_window", 128));
    run(output, request("source", QuantizationScheme.Q8_0, "made"));

    assertThat(Checkpoint.open(output.resolve("made")).configuration().get("model_type").asText())
        .isEqualTo("llama");
  }

  @Test
  void refusesATokenizerThatGgufHasNoNameFor() throws IOException {
    run(LLAMA_CPP, request("llama-tiny.f32.gguf", QuantizationScheme.NONE, "source"));
    Path file = output.resolve("source/tokenizer.json");
    ObjectNode tokenizer = (ObjectNode) JSON.readTree(file.toFile());
    tokenizer.putObject("pre_tokenizer").put("type", "Whitespace");
    JSON.writeValue(file.toFile(), tokenizer);

    GraftException refused =
        catchThrowableOfType(
            GraftException.class,
            () -> run(output, request("source", QuantizationScheme.Q8_0, "made")));

    assertThat(refused.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(refused).hasMessageContaining("pre_tokenizer").hasMessageContaining("Whitespace");
    assertThat(QuantizeFixture.left(output)).containsExactly("source");
    Files.delete(file);
    run(output, request("source", QuantizationScheme.Q8_0, "made"));
    assertThat(Checkpoint.open(output.resolve("made")).tokenizerText()).isEmpty();
  }

  private void assertRefused(
      String source, Consumer<ObjectNode> change, String reason, String message)
      throws IOException {
    copy(source, change);
    GraftException refused =
        catchThrowableOfType(
            GraftException.class,
            () -> run(output, request("source", QuantizationScheme.Q8_0, "made")));
    assertThat(refused.reason()).as(source).isEqualTo(reason);
    assertThat(refused).hasMessageContaining(message);
    assertThat(QuantizeFixture.left(output)).containsExactly("source");
  }

  /** Puts a golden model in {@code source} with another configuration. */
  private void copy(String golden, Consumer<ObjectNode> change) throws IOException {
    Path source = Files.createDirectories(output.resolve("source"));
    Path from = TestWorker.GOLDEN.resolve(golden);
    Files.write(
        source.resolve("model.safetensors"), Files.readAllBytes(from.resolve("model.safetensors")));
    ObjectNode config = (ObjectNode) JSON.readTree(from.resolve("config.json").toFile());
    change.accept(config);
    JSON.writeValue(source.resolve("config.json").toFile(), config);
  }

  @Test
  void withoutDestinationTheFileIsHandedOver() throws IOException {
    Recording events = new Recording();
    job(LLAMA_CPP, FileOpener.NEW_FILES)
        .run(request("bert-tiny.f32.gguf", QuantizationScheme.Q8_0, Optional.empty()), events);
    run(LLAMA_CPP, request("bert-tiny.f32.gguf", QuantizationScheme.Q8_0, "made"));

    assertThat(events.files).containsOnlyKeys("model-Q8_0.gguf");
    assertThat(events.files.get("model-Q8_0.gguf").array())
        .isEqualTo(Files.readAllBytes(output.resolve("made/model-Q8_0.gguf")));
  }

  @Test
  void cancellingLeavesNothing() throws IOException {
    QuantizeJob job = job(LLAMA_CPP, FileOpener.NEW_FILES);
    Recording cancelling =
        new Recording() {
          @Override
          public void onTensor(QuantizeJob.TensorReport report) {
            super.onTensor(report);
            job.cancel();
          }
        };
    assertThatThrownBy(
            () ->
                job.run(
                    request("llama-tiny.f32.gguf", QuantizationScheme.Q4_0, "made"), cancelling))
        .isInstanceOf(CancellationException.class);
    assertThat(cancelling.reports).hasSizeLessThan(21);
    assertThat(QuantizeFixture.left(output)).isEmpty();
  }

  /** In the header, among the tensors, and before the last byte. */
  @ParameterizedTest
  @ValueSource(doubles = {0.001, 0.5, 0.9999})
  void aFullDiskLeavesNothing(double share) throws IOException {
    QuantizeRequest request = request("llama-tiny.f32.gguf", QuantizationScheme.Q4_0, "made");
    SmallDisk large = new SmallDisk(Long.MAX_VALUE);
    job(LLAMA_CPP, large).run(request, new Recording());
    QuantizeFixture.delete(output.resolve("made"));

    SmallDisk full = new SmallDisk((long) (share * large.written()));
    GraftException refused =
        catchThrowableOfType(
            GraftException.class, () -> job(LLAMA_CPP, full).run(request, new Recording()));

    assertThat(refused.reason()).isEqualTo("DISK_FULL");
    assertThat(QuantizeFixture.left(output)).isEmpty();
    job(LLAMA_CPP, new SmallDisk(large.written())).run(request, new Recording());
    assertThat(QuantizeFixture.left(output)).containsExactly("made");
  }
}

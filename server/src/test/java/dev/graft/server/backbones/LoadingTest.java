package dev.graft.server.backbones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.TestDevice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadingTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  @Test
  void describesTheBackbone() {
    try (Backbone backbone = load(Golden.of("golden/llama_gqa").directory())) {
      BackboneInfo info = backbone.info();
      assertThat(info.modelType()).isEqualTo("llama");
      assertThat(info.hiddenSize()).isEqualTo(64);
      assertThat(info.blocks()).isEqualTo(3);
      assertThat(info.vocabularySize()).isEqualTo(100);
      assertThat(info.maxTokens()).isEqualTo(128);
      assertThat(info.causal()).isTrue();
      assertThat(info.tensors()).isEqualTo(2 + 3 * 9);
      assertThat(info.bytes()).isEqualTo(4 * info.parameters());
      assertThat(info.digest()).hasSize(64);
      assertThat(backbone.programText(ComputeDtype.FP32)).contains("rms_norm");
    }
  }

  @Test
  void namesTheMissingTensor() throws IOException {
    GraftException error = error("golden/llama_gqa", "{\"num_hidden_layers\": 4}");
    assertThat(error.category()).isEqualTo(GraftException.Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("MISSING_TENSOR");
    assertThat(error.metadata()).containsEntry("tensor", "layers.3.input_layernorm.weight");
    assertThat(error).hasMessageContaining("model.layers.3.input_layernorm.weight");
  }

  @Test
  void namesTheMissingBias() throws IOException {
    GraftException error = error("golden/llama_gqa", "{\"attention_bias\": true}");
    assertThat(error.reason()).isEqualTo("MISSING_TENSOR");
    assertThat(error.metadata()).containsEntry("tensor", "layers.0.self_attn.q_proj.bias");
  }

  @Test
  void namesTheTensorOfAnotherShape() throws IOException {
    GraftException error = error("golden/bert", "{\"intermediate_size\": 97}");
    assertThat(error.category()).isEqualTo(GraftException.Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error.metadata())
        .containsEntry("tensor", "encoder.layer.0.intermediate.dense.weight")
        .containsEntry("expected", "[97, 48]")
        .containsEntry("found", "[96, 48]");
  }

  @Test
  void shapesOfTransposedTensorsAreThoseInTheFile() throws IOException {
    GraftException error = error("golden/gpt2", "{\"n_inner\": 10}");
    assertThat(error.metadata())
        .containsEntry("tensor", "transformer.h.0.mlp.c_fc.weight")
        .containsEntry("expected", "[48, 10]")
        .containsEntry("found", "[48, 192]");
  }

  @Test
  void refusesWeightsThatAreNotFloats() throws IOException {
    rewrite("variants/bert_relu", 0, header -> entry(header).put("dtype", "I32"));
    GraftException error =
        catchThrowableOfType(GraftException.class, () -> load(directory).close());
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error)
        .hasMessageContaining("bert.embeddings.LayerNorm.weight")
        .hasMessageContaining("I32");
  }

  private static ObjectNode entry(ObjectNode header) {
    return (ObjectNode) header.get("bert.embeddings.LayerNorm.weight");
  }

  @Test
  void tensorsNeedNotBeAligned() throws IOException {
    // One byte in front moves every tensor amid an element.
    rewrite(
        "variants/bert_relu",
        1,
        header -> {
          header.properties().stream()
              .filter(each -> !each.getKey().equals("__metadata__"))
              .map(each -> (ArrayNode) each.getValue().get("data_offsets"))
              .forEach(LoadingTest::moveByOne);
          ObjectNode first = header.putObject("first").put("dtype", "U8");
          first.putArray("shape").add(1);
          first.putArray("data_offsets").add(0).add(1);
        });
    Golden golden = Golden.of("variants/bert_relu");
    try (Backbone backbone = load(directory)) {
      List<float[]> actual = Features.of(backbone, batch(golden), 2, ComputeDtype.FP32);
      List<float[]> expected = golden.features("right.last_hidden_state", "right.attention_mask");
      assertThat(Golden.relativeError(actual, expected)).isLessThanOrEqualTo(1e-5);
    }
  }

  private static void moveByOne(ArrayNode offsets) {
    offsets.set(0, offsets.get(0).longValue() + 1).set(1, offsets.get(1).longValue() + 1);
  }

  @Test
  void tokensOutsideTheVocabularyAreNamed() {
    try (Backbone backbone = load(Golden.of("golden/bert").directory())) {
      for (long id : new long[] {100, -1, Long.MAX_VALUE}) {
        GraftException error =
            error(backbone, new TokenBatch(new long[] {1, id}, null, new int[] {2}, Rows.ALL));
        assertThat(error.category()).isEqualTo(GraftException.Category.INVALID_ARGUMENT);
        assertThat(error.reason()).isEqualTo("TOKEN_OUT_OF_RANGE");
        assertThat(error).hasMessageContaining("" + id).hasMessageContaining("99");
      }
      assertThat(
              error(
                  backbone,
                  new TokenBatch(new long[] {1}, new long[] {2}, new int[] {1}, Rows.ALL)))
          .hasMessageContaining("token type id 2");
    }
  }

  @Test
  void rowsBeyondTheLearnedPositionsAreRefused() {
    for (String model : List.of("golden/bert", "golden/roberta", "golden/gpt2")) {
      try (Backbone backbone = load(Golden.of(model).directory());
          Scope scope = Scope.open(TestDevice.DEVICE)) {
        int longest = backbone.info().maxTokens();
        TokenBatch fits = new TokenBatch(new long[longest], null, new int[] {longest}, Rows.ALL);
        assertThat(backbone.hiddenStates(scope, fits, 1, ComputeDtype.FP32).shape())
            .containsExactly(longest, 48);
        TokenBatch tooLong =
            new TokenBatch(new long[longest + 1], null, new int[] {longest + 1}, Rows.ALL);
        assertThat(error(backbone, tooLong).reason()).isEqualTo("ITEM_TOO_LONG");
      }
    }
  }

  @Test
  void threadsComputeAtTheSameTime() {
    Golden golden = Golden.of("golden/llama_gqa");
    try (Backbone backbone = load(golden.directory())) {
      List<float[]> expected = Features.of(backbone, batch(golden), 3, ComputeDtype.FP32);
      List<CompletableFuture<List<float[]>>> results = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        results.add(
            CompletableFuture.supplyAsync(
                () -> Features.of(backbone, batch(golden), 3, ComputeDtype.FP32)));
      }
      for (CompletableFuture<List<float[]>> result : results) {
        assertThat(Golden.relativeError(result.join(), expected)).isZero();
      }
    }
  }

  private static GraftException error(Backbone backbone, TokenBatch batch) {
    try (Scope scope = Scope.open(TestDevice.DEVICE)) {
      return catchThrowableOfType(
          GraftException.class, () -> backbone.hiddenStates(scope, batch, 1, ComputeDtype.FP32));
    }
  }

  /** The error of loading a model with other options. */
  private GraftException error(String model, String options) throws IOException {
    Path from = Golden.of(model).directory();
    JsonNode config = JSON.readTree(from.resolve("config.json").toFile());
    JSON.readerForUpdating(config).readTree(options);
    JSON.writeValue(directory.resolve("config.json").toFile(), config);
    Files.copy(from.resolve("model.safetensors"), directory.resolve("model.safetensors"));
    return catchThrowableOfType(GraftException.class, () -> load(directory).close());
  }

  private interface HeaderChange {
    void apply(ObjectNode header);
  }

  /** Copies a model with bytes put before its tensors and another header. */
  private void rewrite(String model, int bytesBefore, HeaderChange change) throws IOException {
    Path from = Golden.of(model).directory();
    ByteBuffer file =
        ByteBuffer.wrap(Files.readAllBytes(from.resolve("model.safetensors")))
            .order(ByteOrder.LITTLE_ENDIAN);
    byte[] json = new byte[(int) file.getLong()];
    file.get(json);
    ObjectNode header = (ObjectNode) JSON.readTree(json);
    change.apply(header);
    byte[] changed = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(changed.length)
            .array());
    out.writeBytes(changed);
    out.writeBytes(new byte[bytesBefore]);
    out.write(file.array(), file.position(), file.remaining());
    Files.write(directory.resolve("model.safetensors"), out.toByteArray());
    Files.copy(from.resolve("config.json"), directory.resolve("config.json"));
  }

  private static TokenBatch batch(Golden golden) {
    return Golden.batch(golden.rows("right.input_ids", "right.attention_mask"));
  }

  private static Backbone load(Path directory) {
    return Backbones.load(Checkpoint.open(directory), TestDevice.DEVICE, Features.only(Kernel.MKL));
  }
}

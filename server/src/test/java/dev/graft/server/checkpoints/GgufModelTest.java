package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufModelTest {
  @TempDir private Path directory;

  @Test
  void llamaIsAHuggingFaceCheckpoint() {
    Checkpoint checkpoint = open(GgufModels.llama().put("llama.rope.freq_base", 500_000f));

    JsonNode configuration = checkpoint.configuration();
    assertThat(configuration.get("model_type").textValue()).isEqualTo("llama");
    assertThat(configuration.get("vocab_size").intValue()).isEqualTo(4);
    assertThat(configuration.get("hidden_size").intValue()).isEqualTo(32);
    assertThat(configuration.get("head_dim").intValue()).isEqualTo(16);
    assertThat(configuration.get("num_key_value_heads").intValue()).isEqualTo(1);
    assertThat(configuration.get("rms_norm_eps").doubleValue()).isEqualTo(1e-6);
    assertThat(configuration.get("rope_theta").doubleValue()).isEqualTo(500_000);
    assertThat(configuration.get("tie_word_embeddings").booleanValue()).isTrue();
    assertThat(configuration.has("rope_scaling")).isFalse();
    assertThat(configuration.at("/quantization_config/quant_method").textValue()).isEqualTo("gguf");
    assertThat(checkpoint.names())
        .hasSize(11)
        .contains(
            "model.embed_tokens.weight",
            "model.norm.weight",
            "model.layers.0.self_attn.q_proj.weight",
            "model.layers.0.mlp.down_proj.weight");
  }

  @Test
  void rowsOfQueriesAndKeysAreInterleavedInLlamaOnly() {
    assertThat(heads(GgufModels.llama(), "self_attn.q_proj.weight")).isEqualTo(2);
    assertThat(heads(GgufModels.llama(), "self_attn.k_proj.weight")).isEqualTo(1);
    assertThat(heads(GgufModels.llama(), "self_attn.v_proj.weight")).isZero();
    assertThat(heads(GgufModels.decoder("qwen2"), "self_attn.q_proj.weight")).isZero();
  }

  private int heads(GgufModels model, String name) {
    return open(model).ggufTensor("model.layers.0." + name).orElseThrow().interleavedHeads();
  }

  @Test
  void digestsTellTypesApart() {
    String one = open(GgufModels.llama()).digest();
    String other =
        open(GgufModels.llama().tensor("blk.0.ffn_up.weight", GgmlType.IQ4_NL, 32, 32)).digest();

    assertThat(other).isNotEqualTo(one);
  }

  @Test
  void linearScalingIsRead() {
    JsonNode scaling =
        open(GgufModels.llama()
                .put("llama.rope.scaling.type", "linear")
                .put("llama.rope.scaling.factor", 4f))
            .configuration()
            .get("rope_scaling");

    assertThat(scaling.get("rope_type").textValue()).isEqualTo("linear");
    assertThat(scaling.get("factor").doubleValue()).isEqualTo(4);
  }

  @Test
  void yarnIsRead() {
    JsonNode scaling =
        open(GgufModels.decoder("qwen2")
                .put("qwen2.rope.scaling.type", "yarn")
                .put("qwen2.rope.scaling.factor", 4f)
                .put("qwen2.rope.scaling.original_context_length", 16))
            .configuration()
            .get("rope_scaling");

    assertThat(scaling.get("rope_type").textValue()).isEqualTo("yarn");
    assertThat(scaling.get("original_max_position_embeddings").intValue()).isEqualTo(16);
  }

  @Test
  void llama3IsFoundInItsFactors() {
    // What llama.cpp's converter writes for theta 500,000, heads of 16 and a factor of 32.
    JsonNode scaling =
        open(GgufModels.llama()
                .put("llama.rope.freq_base", 500_000f)
                .vector("rope_freqs.weight", 1, 1, 1, 1, 3.292262f, 32, 32, 32))
            .configuration()
            .get("rope_scaling");

    assertThat(scaling.get("rope_type").textValue()).isEqualTo("llama3");
    assertThat(scaling.get("factor").doubleValue()).isEqualTo(32);
    assertThat(scaling.get("original_max_position_embeddings").intValue()).isEqualTo(8192);
  }

  @Test
  void otherFactorsAreRefused() {
    GraftException error =
        refuse(GgufModels.llama().vector("rope_freqs.weight", 1, 1, 1, 1, 2, 3, 4, 5));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error).hasMessageContaining("rope_freqs.weight");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma", "gemma2", "phi3", "gpt2", "bert\u0000"})
  void otherArchitecturesAreRefused(String architecture) {
    GraftException error = refuse(GgufModels.decoder(architecture));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_ARCHITECTURE");
    assertThat(error.metadata())
        .containsEntry("model_type", architecture)
        .containsEntry("supported", "bert,llama,qwen2,qwen3");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama.expert_count",
        "llama.attention.value_length",
        "llama.rope.dimension_count",
        "llama.rope.scale_linear",
        "llama.attention.sliding_window"
      })
  void settingsThatAreNotImplementedAreRefused(String key) {
    GraftException error = refuse(GgufModels.llama().put(key, 8));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error.metadata()).containsEntry("option", key).containsEntry("value", "8");
  }

  @Test
  void tensorsThatAreNotKnownAreRefused() {
    GraftException error = refuse(GgufModels.llama().tensor("blk.0.attn_q.bias", GgmlType.F32, 32));

    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error.metadata()).containsEntry("tensor", "blk.0.attn_q.bias");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "general.architecture",
        "llama.block_count",
        "llama.embedding_length",
        "llama.attention.head_count",
        "llama.attention.layer_norm_rms_epsilon"
      })
  void keysThatAreMissingAreNamed(String key) {
    GraftException error = refuse(GgufModels.llama().without(key));

    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error).hasMessageContaining(key + " must be");
  }

  @Test
  void valuesOfOtherTypesAreRefused() {
    GraftException error = refuse(GgufModels.llama().put("llama.block_count", List.of("1")));

    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error).hasMessageContaining("found 1 elements of type TEXT");
  }

  @Test
  void rowsThatHaveNoHeadsAreRefused() {
    GraftException error =
        refuse(GgufModels.llama().tensor("blk.0.attn_q.weight", GgmlType.F32, 31, 32));

    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    assertThat(error).hasMessageContaining("has no rows for 2 heads");
  }

  @Test
  void aTokenizerComesWithTheFile() {
    assertThat(open(GgufModels.llama()).tokenizerText()).isPresent();
    assertThat(open(GgufModels.llama().without("tokenizer.ggml.model")).tokenizerText()).isEmpty();
  }

  @Test
  void aLinkMayNotLeadOutOfTheRoots() throws IOException {
    Path outside = GgufModels.llama().write(directory.resolve("model.gguf"));
    Path root = Files.createDirectory(directory.resolve("root"));
    Path link = Files.createSymbolicLink(root.resolve("model.gguf"), outside);

    GraftException error =
        GraftExceptions.from(() -> Checkpoint.open(link, ModelRoots.of(List.of(root))));

    assertThat(error.reason()).isEqualTo("OUTSIDE_MODEL_ROOTS");
  }

  private GraftException refuse(GgufModels model) {
    return GraftExceptions.from(() -> open(model));
  }

  private Checkpoint open(GgufModels model) {
    try {
      return Checkpoint.open(
          model.write(Files.createTempDirectory(directory, "").resolve("model.gguf")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

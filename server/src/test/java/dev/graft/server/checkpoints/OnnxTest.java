package dev.graft.server.checkpoints;

import static dev.graft.server.checkpoints.OnnxBuilder.concat;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxTest {
  private static final String QUERY = "encoder.layer.0.attention.self.query";

  @TempDir private Path directory;

  @Test
  void linearWeightsGetTheirNamesBack() {
    Checkpoint checkpoint = open(OnnxBuilder.bert());

    TensorEntry weight = checkpoint.require("encoder.layer.0.intermediate.dense.weight");
    assertThat(weight.transposed()).isTrue();
    assertThat(weight.shape()).containsExactly(6, 4);
    FloatBuffer values = weight.read().asFloatBuffer();
    assertThat(values.get(1)).as("row 0, column 1 is stored at [1, 0]").isEqualTo(6);
    assertThat(values.get(4)).as("row 1, column 0 is stored at [0, 1]").isEqualTo(1);
    assertThat(checkpoint.names())
        .contains(QUERY + ".weight", QUERY + ".bias", "embeddings.LayerNorm.weight")
        .noneMatch(name -> name.contains("MatMul"))
        .hasSize(5 + 2 * 6);
  }

  @Test
  void gemmWithAndWithoutTranspose() {
    Checkpoint checkpoint =
        open(
            OnnxBuilder.bert()
                .parameter("pooler.dense.weight", 4, 4)
                .parameter("pooler.dense.bias", 4)
                .node(
                    "Gemm",
                    List.of("first", "pooler.dense.weight", "pooler.dense.bias"),
                    "pooled",
                    OnnxBuilder.attribute("transB", OnnxBuilder.number(3, 1)))
                .parameter("onnx::Gemm_7", 4, 3)
                .parameter("classifier.bias", 3)
                .node("Gemm", List.of("pooled", "onnx::Gemm_7", "classifier.bias"), "logits"));

    assertThat(checkpoint.require("pooler.dense.weight").transposed()).isFalse();
    assertThat(checkpoint.require("classifier.weight").transposed()).isTrue();
    assertThat(checkpoint.require("classifier.weight").shape()).containsExactly(3, 4);
  }

  @Test
  void gemmThatScales() {
    OnnxBuilder model =
        OnnxBuilder.bert()
            .parameter("x.weight", 4, 4)
            .parameter("x.bias", 4)
            .node(
                "Gemm",
                List.of("first", "x.weight", "x.bias"),
                "y",
                OnnxBuilder.attribute("alpha", OnnxBuilder.fixed32(2, 2)));
    assertThat(reject(model).reason()).isEqualTo("UNSUPPORTED_OPTION");
  }

  @Test
  void aTransposeThatWasNotFolded() {
    Checkpoint checkpoint =
        open(
            OnnxBuilder.bert()
                .parameter("head.weight", 3, 4)
                .parameter("head.bias", 3)
                .node("Transpose", List.of("head.weight"), "turned")
                .node("MatMul", List.of("narrow", "turned"), "product")
                .node("Add", List.of("product", "head.bias"), "out"));
    assertThat(checkpoint.require("head.weight").transposed()).isFalse();
    assertThat(checkpoint.require("head.weight").shape()).containsExactly(3, 4);
  }

  @Test
  void aWeightThatIsAlsoAnEmbedding() {
    Checkpoint checkpoint =
        open(
            OnnxBuilder.bert()
                .parameter("tied.table.weight", 4, 5)
                .node("Gather", List.of("tied.table.weight", "ids"), "looked up")
                .parameter("decoder.bias", 5)
                .node("MatMul", List.of("narrow", "tied.table.weight"), "product")
                .node("Add", List.of("product", "decoder.bias"), "out"));
    assertThat(checkpoint.require("tied.table.weight").shape()).containsExactly(4, 5);
    assertThat(checkpoint.require("decoder.weight").shape()).containsExactly(5, 4);
  }

  @Test
  void equalParametersThatTheExporterMerged() {
    Checkpoint checkpoint =
        open(
            OnnxBuilder.bert()
                .node("Identity", List.of("embeddings.LayerNorm.weight"), "other.LayerNorm.weight")
                .node("Identity", List.of(QUERY + ".bias"), "other.dense.bias")
                .parameter("onnx::MatMul_1", 4, 4)
                .node("MatMul", List.of("narrow", "onnx::MatMul_1"), "product")
                .node("Add", List.of("other.dense.bias", "product"), "out"));
    assertThat(checkpoint.require("other.LayerNorm.weight").offset())
        .isEqualTo(checkpoint.require("embeddings.LayerNorm.weight").offset());
    assertThat(checkpoint.require("other.dense.weight").transposed()).isTrue();
  }

  @Test
  void packedFloatsAreUsedWhereTheyLie() {
    byte[] tensor =
        concat(
            OnnxBuilder.tensorHead("packed.weight", OnnxBuilder.FLOAT, 2),
            OnnxBuilder.message(4, OnnxBuilder.floats(7, 8)));
    TensorEntry entry = open(OnnxBuilder.bert().initializer(tensor)).require("packed.weight");
    assertThat(entry.read().asFloatBuffer().get(1)).isEqualTo(8);
  }

  @Test
  void singleFloatsHaveNoPlace() {
    byte[] tensor =
        concat(
            OnnxBuilder.tensorHead("single.weight", OnnxBuilder.FLOAT, 2),
            OnnxBuilder.fixed32(4, 7),
            OnnxBuilder.fixed32(4, 8));
    GraftException error = reject(OnnxBuilder.bert().initializer(tensor));
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_FORMAT");
    assertThat(error).hasMessageContaining("single.weight");
  }

  @Test
  void tensorsInOtherFiles() {
    byte[] location = concat(OnnxBuilder.text(1, "location"), OnnxBuilder.text(2, "/etc/passwd"));
    byte[] tensor =
        concat(
            OnnxBuilder.tensorHead("far.weight", OnnxBuilder.FLOAT, 2),
            OnnxBuilder.message(13, location),
            OnnxBuilder.number(14, 1));
    GraftException error = reject(OnnxBuilder.bert().initializer(tensor));
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_FORMAT");
    assertThat(error).hasMessageContaining("far.weight in another file");
  }

  @Test
  void quantizedModels() {
    GraftException error =
        reject(OnnxBuilder.bert().node("DynamicQuantizeLinear", List.of("hidden"), "small"));
    assertThat(error.category()).isEqualTo(Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error).hasMessageContaining("is quantized");
  }

  @Test
  void modelsOptimizedForARuntime() {
    GraftException error =
        reject(OnnxBuilder.bert().nodeOf("com.microsoft", "Attention", List.of("hidden"), "fused"));
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_OPTION");
    assertThat(error).hasMessageContaining("operator Attention of com.microsoft");
  }

  @Test
  void weightThatDoesNotFitItsBias() {
    OnnxBuilder model =
        OnnxBuilder.bert()
            .parameter("onnx::MatMul_1", 4, 5)
            .parameter("x.bias", 4)
            .node("MatMul", List.of("narrow", "onnx::MatMul_1"), "product")
            .node("Add", List.of("x.bias", "product"), "out");
    assertThat(corrupt(model)).hasMessageContaining("x.weight: shape [5, 4] does not fit its bias");
  }

  @Test
  void oneBiasForTwoProducts() {
    OnnxBuilder model =
        OnnxBuilder.bert()
            .parameter("onnx::MatMul_1", 4, 4)
            .node("MatMul", List.of("narrow", "onnx::MatMul_1"), "product")
            .node("Add", List.of(QUERY + ".bias", "product"), "out");
    assertThat(corrupt(model)).hasMessageContaining("two different products");
  }

  @Test
  void shapeThatDoesNotFitItsBytes() {
    OnnxBuilder model =
        OnnxBuilder.bert()
            .initializer(OnnxBuilder.tensor("x.y", OnnxBuilder.FLOAT, new byte[12], 4));
    assertThat(corrupt(model)).hasMessageContaining("tensor x.y: F32[4] needs 16 bytes");
  }

  @Test
  void shapeThatOverflows() {
    OnnxBuilder model =
        OnnxBuilder.bert()
            .initializer(
                OnnxBuilder.tensor("x.y", OnnxBuilder.FLOAT, new byte[0], 1L << 32, 1L << 32));
    assertThat(corrupt(model)).hasMessageContaining("overflows");
  }

  @Test
  void negativeShape() {
    OnnxBuilder model =
        OnnxBuilder.bert()
            .initializer(OnnxBuilder.tensor("x.y", OnnxBuilder.FLOAT, new byte[4], -1));
    assertThat(corrupt(model)).hasMessageContaining("shape [-1] overflows");
  }

  @Test
  void tensorTwice() {
    OnnxBuilder model = OnnxBuilder.bert().parameter(QUERY + ".bias", 4);
    assertThat(corrupt(model)).hasMessageContaining(QUERY + ".bias: is there twice");
  }

  @Test
  void valueComputedTwice() {
    OnnxBuilder model = OnnxBuilder.bert().node("Relu", List.of("hidden"), "wide");
    assertThat(corrupt(model)).hasMessageContaining("computes \"wide\" twice");
  }

  @Test
  void truncatedAnywhere() throws IOException {
    byte[] model = OnnxBuilder.bert().build();
    Path file = directory.resolve("model.onnx");
    for (int length = 0; length < model.length; length += 3) {
      Files.write(file, Arrays.copyOf(model, length));
      assertThat(GraftExceptions.from(() -> OnnxReader.read(file)).reason())
          .as("cut at %d", length)
          .isEqualTo("CORRUPT_CHECKPOINT");
    }
  }

  @Test
  void somethingElse() throws IOException {
    for (byte[] bytes :
        List.of(
            "<!DOCTYPE html><html>".getBytes(StandardCharsets.UTF_8),
            new byte[100],
            OnnxBuilder.message(7, new byte[0]),
            concat(OnnxBuilder.tag(7, 2), OnnxBuilder.varint(-1)),
            concat(OnnxBuilder.tag(7, 2), OnnxBuilder.varint(Long.MAX_VALUE)),
            concat(OnnxBuilder.tag(7, 3)),
            concat(OnnxBuilder.tag(7, 0), "€€€€€€€€€€".getBytes(StandardCharsets.ISO_8859_1)))) {
      Files.write(directory.resolve("model.onnx"), bytes);
      assertThat(GraftExceptions.from(() -> Checkpoint.open(directory)).reason())
          .isEqualTo("CORRUPT_CHECKPOINT");
    }
  }

  @Test
  void configurationShowsInTheGraph() {
    JsonNode configuration = open(OnnxBuilder.bert()).configuration();
    assertThat(configuration.path("model_type").asText()).isEqualTo("bert");
    assertThat(configuration.path("vocab_size").asInt()).isEqualTo(5);
    assertThat(configuration.path("hidden_size").asInt()).isEqualTo(4);
    assertThat(configuration.path("num_hidden_layers").asInt()).isEqualTo(1);
    assertThat(configuration.path("num_attention_heads").asInt()).isEqualTo(2);
    assertThat(configuration.path("intermediate_size").asInt()).isEqualTo(6);
    assertThat(configuration.path("max_position_embeddings").asInt()).isEqualTo(3);
    assertThat(configuration.path("type_vocab_size").asInt()).isEqualTo(2);
    assertThat(configuration.path("layer_norm_eps").asDouble()).isEqualTo(1e-12);
    assertThat(configuration.path("hidden_act").asText()).isEqualTo("gelu");
  }

  @Test
  void positionsOfRoberta() {
    OnnxBuilder model = OnnxBuilder.bert().node("CumSum", List.of("mask"), "positions");
    assertThat(corrupt(model)).hasMessageContaining("RoBERTa").hasMessageContaining("config.json");
  }

  @Test
  void normsThatDiffer() {
    OnnxBuilder model =
        OnnxBuilder.bert()
            .node(
                "LayerNormalization",
                List.of("narrow"),
                "out",
                OnnxBuilder.attribute("epsilon", OnnxBuilder.fixed32(2, 1e-5f)));
    assertThat(corrupt(model)).hasMessageContaining("epsilon").hasMessageContaining("1.0E-5");
  }

  @Test
  void activationThatDoesNotShow() {
    OnnxBuilder model = OnnxBuilder.bert().node("Tanh", List.of("wide"), "also");
    assertThat(corrupt(model)).hasMessageContaining("activation").hasMessageContaining("Tanh");
  }

  @Test
  void configurationBesideTheModelCounts() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"roberta\"}");
    Checkpoint checkpoint = open(OnnxBuilder.bert().node("CumSum", List.of("mask"), "positions"));
    assertThat(checkpoint.configuration().path("model_type").asText()).isEqualTo("roberta");
  }

  @Test
  void whereTheModelMayLie() throws IOException {
    byte[] model = OnnxBuilder.bert().build();
    Files.write(directory.resolve("any.onnx"), model);
    assertThat(Checkpoint.open(directory).names()).isNotEmpty();

    Files.write(directory.resolve("other.onnx"), model);
    assertThat(GraftExceptions.from(() -> Checkpoint.open(directory)))
        .hasMessageContaining("several models [any.onnx, other.onnx]");

    Path exported = Files.createDirectory(directory.resolve("onnx")).resolve("model.onnx");
    Files.write(exported, model);
    assertThat(Checkpoint.open(directory).require(QUERY + ".bias").file())
        .isEqualTo(exported.toRealPath());
  }

  private Checkpoint open(OnnxBuilder model) {
    SafetensorsBytes.write(directory.resolve("model.onnx"), model.build());
    return Checkpoint.open(directory);
  }

  private GraftException reject(OnnxBuilder model) {
    return GraftExceptions.from(() -> open(model));
  }

  private GraftException corrupt(OnnxBuilder model) {
    GraftException error = reject(model);
    assertThat(error.category()).isEqualTo(Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    return error;
  }
}

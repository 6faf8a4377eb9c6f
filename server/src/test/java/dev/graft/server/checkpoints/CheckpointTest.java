package dev.graft.server.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  private static final TensorData A = TensorData.floats("a", new float[] {1, 2}, 2);
  private static final TensorData B = TensorData.floats("b", new float[] {3, 4, 5, 6}, 2, 2);

  @TempDir private Path temporary;

  private Path base;
  private Path directory;

  @BeforeEach
  void makeDirectory() throws IOException {
    base = temporary.toRealPath();
    directory = Files.createDirectory(base.resolve("model"));
    write("config.json", "{\"model_type\": \"bert\", \"limit\": Infinity}");
  }

  @Test
  void oneFile() throws IOException {
    save("model.safetensors", A, B);
    write("tokenizer.json", "{}");

    Checkpoint checkpoint = Checkpoint.open(directory);

    assertThat(checkpoint.directory()).isEqualTo(directory);
    assertThat(checkpoint.names()).containsExactly("a", "b");
    assertThat(checkpoint.find("b").orElseThrow().shape()).containsExactly(2, 2);
    assertThat(checkpoint.find("c")).isEmpty();
    assertThat(checkpoint.bytes()).isEqualTo(24);
    assertThat(checkpoint.configuration().path("model_type").asText()).isEqualTo("bert");
    assertThat(checkpoint.tokenizer()).contains(directory.resolve("tokenizer.json"));
  }

  @Test
  void aTokenizerIsOptional() throws IOException {
    save("model.safetensors", A);
    assertThat(Checkpoint.open(directory).tokenizer()).isEmpty();
  }

  @Test
  void aRequiredTensorIsNamed() throws IOException {
    save("model.safetensors", A);
    Checkpoint checkpoint = Checkpoint.open(directory);
    assertThat(checkpoint.require("a").name()).isEqualTo("a");
    GraftException error = GraftExceptions.from(() -> checkpoint.require("b.weight"));
    assertThat(error.reason()).isEqualTo("MISSING_TENSOR");
    assertThat(error).hasMessageContaining("b.weight");
  }

  @Test
  void shards() throws IOException {
    save("model-1.safetensors", A);
    save("model-2.safetensors", B);
    index("\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"");

    Checkpoint checkpoint = Checkpoint.open(directory);

    assertThat(checkpoint.names()).containsExactly("a", "b");
    assertThat(checkpoint.require("b").file()).isEqualTo(directory.resolve("model-2.safetensors"));
  }

  @Test
  void missingShard() throws IOException {
    index("\"a\": \"model-1.safetensors\"");
    assertThat(corrupt()).hasMessageContaining("shard model-1.safetensors is missing");
  }

  @Test
  void tensorMissingInItsShard() throws IOException {
    save("model-1.safetensors", A);
    index("\"a\": \"model-1.safetensors\", \"b\": \"model-1.safetensors\"");
    assertThat(corrupt()).hasMessageContaining("tensor b: is not in its shard model-1.safetensors");
  }

  @Test
  void tensorMissingInTheIndex() throws IOException {
    save("model-1.safetensors", A, B);
    index("\"a\": \"model-1.safetensors\"");
    assertThat(corrupt()).hasMessageContaining("tensor b: is in shard model-1.safetensors, where");
  }

  @Test
  void tensorInTwoShards() throws IOException {
    save("model-1.safetensors", A);
    save("model-2.safetensors", A, B);
    index("\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"");
    assertThat(corrupt()).hasMessageContaining("tensor a: is in shard model-2.safetensors, where");
  }

  @Test
  void corruptShard() throws IOException {
    write("model-1.safetensors", "not safetensors at all");
    index("\"a\": \"model-1.safetensors\"");
    assertThat(corrupt()).hasMessageContaining("model-1.safetensors: header of");
  }

  @Test
  void shardOutsideTheDirectory() throws IOException {
    SafetensorsWriter.write(List.of(A), Map.of(), base.resolve("other.safetensors"));
    for (String shard :
        List.of(
            "../other.safetensors",
            base.resolve("other.safetensors").toString(),
            "..\\\\other.safetensors",
            "sub/../../other.safetensors",
            "\\u0000.safetensors",
            ".safetensors/..",
            "..",
            "")) {
      index("\"a\": \"" + shard + "\"");
      assertThat(corrupt()).hasMessageContaining("no *.safetensors file name");
    }
  }

  @Test
  void shardThatIsNoText() throws IOException {
    index("\"a\": 1");
    assertThat(corrupt()).hasMessageContaining("no *.safetensors file name");
  }

  @Test
  void indexWithoutWeightMap() throws IOException {
    write("model.safetensors.index.json", "{}");
    assertThat(corrupt()).hasMessageContaining("weight_map");
  }

  @Test
  void indexWithATensorTwice() throws IOException {
    save("model-1.safetensors", A);
    index("\"a\": \"model-1.safetensors\", \"a\": \"model-1.safetensors\"");
    assertThat(corrupt()).hasMessageContaining("Duplicate field 'a'");
  }

  @Test
  void linksOutOfTheRootsAreRefused() throws IOException {
    Path elsewhere = base.resolve("elsewhere.safetensors");
    SafetensorsWriter.write(List.of(A), Map.of(), elsewhere);
    Files.createSymbolicLink(directory.resolve("model.safetensors"), elsewhere);

    GraftException error = GraftExceptions.from(() -> Checkpoint.open(directory));

    assertThat(error.category()).isEqualTo(Category.PERMISSION_DENIED);
    assertThat(error.reason()).isEqualTo("OUTSIDE_MODEL_ROOTS");
  }

  @Test
  void shardsThatAreLinksOutOfTheRootsAreRefused() throws IOException {
    Path elsewhere = base.resolve("elsewhere.safetensors");
    SafetensorsWriter.write(List.of(A), Map.of(), elsewhere);
    Files.createSymbolicLink(directory.resolve("model-1.safetensors"), elsewhere);
    index("\"a\": \"model-1.safetensors\"");
    assertThat(GraftExceptions.from(() -> Checkpoint.open(directory)).reason())
        .isEqualTo("OUTSIDE_MODEL_ROOTS");
  }

  @Test
  void linksInsideTheRootsAreFollowed() throws IOException {
    // As in the Hugging Face cache: snapshots/<revision>/model.safetensors -> ../../blobs/<hash>.
    Path blob = base.resolve("blob");
    SafetensorsWriter.write(List.of(A), Map.of(), blob);
    Files.createSymbolicLink(directory.resolve("model.safetensors"), Path.of("../blob"));

    Checkpoint checkpoint = Checkpoint.open(directory, ModelRoots.of(List.of(base)));

    assertThat(checkpoint.require("a").file()).isEqualTo(blob);
  }

  @Test
  void linksThatLeadNowhere() throws IOException {
    Files.createSymbolicLink(directory.resolve("model.safetensors"), Path.of("none"));
    assertThat(corrupt()).hasMessageContaining("leads nowhere");
  }

  @Test
  void aDirectoryInsteadOfAFile() throws IOException {
    Files.createDirectory(directory.resolve("model.safetensors"));
    assertThat(corrupt()).hasMessageContaining("not a regular file");
  }

  @Test
  void picklesAreNeverRead() throws IOException {
    write("pytorch_model.bin", "cos\nsystem\n");
    GraftException error = GraftExceptions.from(() -> Checkpoint.open(directory));
    assertThat(error.category()).isEqualTo(Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_FORMAT");
    assertThat(error).hasMessageContaining("never read").hasMessageContaining("safetensors");
  }

  @Test
  void aDirectoryWithoutWeights() {
    GraftException error = GraftExceptions.from(() -> Checkpoint.open(directory));
    assertThat(error.reason()).isEqualTo("UNSUPPORTED_FORMAT");
    assertThat(error).hasMessageContaining("holds no weights: no model.safetensors");
  }

  @Test
  void configurationIsMissing() throws IOException {
    save("model.safetensors", A);
    Files.delete(directory.resolve("config.json"));
    assertThat(corrupt()).hasMessageContaining("has no config.json");
  }

  @Test
  void configurationIsNotJson() throws IOException {
    save("model.safetensors", A);
    write("config.json", "{\n\"model_type\": bert}");
    assertThat(corrupt()).hasMessageContaining("config.json: is not valid JSON at line 2");
  }

  @Test
  void configurationIsNoObject() throws IOException {
    save("model.safetensors", A);
    for (String text : List.of("[]", "", "1", "null", "{} {}")) {
      write("config.json", text);
      assertThat(corrupt()).hasMessageContaining("does not hold one JSON object");
    }
  }

  @Test
  void configurationIsNotUtf8() throws IOException {
    save("model.safetensors", A);
    Files.write(
        directory.resolve("config.json"), "{\"é\":1}".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(corrupt()).hasMessageContaining("not valid UTF-8");
  }

  @Test
  void digestIsOfContentAndNotOfFiles() throws IOException {
    save("model.safetensors", A, B);
    String single = Checkpoint.open(directory).digest();
    assertThat(single).matches("[0-9a-f]{64}").isEqualTo(Checkpoint.open(directory).digest());

    Files.delete(directory.resolve("model.safetensors"));
    save("model-1.safetensors", A);
    save("model-2.safetensors", B);
    index("\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"");
    assertThat(Checkpoint.open(directory).digest()).isEqualTo(single);
  }

  @Test
  void digestChangesWithEachPart() throws IOException {
    save("model.safetensors", A, B);
    Checkpoint checkpoint = Checkpoint.open(directory);
    String before = checkpoint.digest();

    save("model.safetensors", A, TensorData.floats("b", new float[] {3, 4, 5, 7}, 2, 2));
    assertThat(checkpoint.digest()).as("values, seen by the open checkpoint").isNotEqualTo(before);
    save("model.safetensors", A, TensorData.floats("b", new float[] {3, 4, 5, 6}, 4));
    assertThat(Checkpoint.open(directory).digest()).as("shape").isNotEqualTo(before);
    save("model.safetensors", A, TensorData.of("b", StoredType.I32, B.shape(), B.bytes()));
    assertThat(Checkpoint.open(directory).digest()).as("type").isNotEqualTo(before);
    save("model.safetensors", A, TensorData.of("c", B.type(), B.shape(), B.bytes()));
    assertThat(Checkpoint.open(directory).digest()).as("name").isNotEqualTo(before);
    save("model.safetensors", A, B);
    assertThat(Checkpoint.open(directory).digest()).as("all as it was").isEqualTo(before);
    write("config.json", "{\"model_type\": \"gpt2\"}");
    assertThat(Checkpoint.open(directory).digest()).as("configuration").isNotEqualTo(before);
  }

  private GraftException corrupt() {
    GraftException error = GraftExceptions.from(() -> Checkpoint.open(directory));
    assertThat(error.category()).isEqualTo(Category.FAILED_PRECONDITION);
    assertThat(error.reason()).isEqualTo("CORRUPT_CHECKPOINT");
    return error;
  }

  private void save(String name, TensorData... tensors) throws IOException {
    SafetensorsWriter.write(List.of(tensors), Map.of("format", "pt"), directory.resolve(name));
  }

  private void index(String weightMap) throws IOException {
    write("model.safetensors.index.json", "{\"metadata\":{}, \"weight_map\":{" + weightMap + "}}");
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }
}

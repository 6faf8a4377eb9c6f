package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.Sha256;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.hub.FakeHub;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code graft quantize} as a user runs it: a process, with real workers. */
@Timeout(300)
class QuantizeCommandTest {
  private static final Path TINY = TinyModel.ROOT.resolve(TinyModel.NAME);
  private static final String SKIPPED = "layers.0.mlp.up_proj";

  /** Too little for the whole result. */
  private static final int SHARD_BYTES = 30_000;

  /** Values between the two products of an MLP. */
  private static final int LARGE_SIZE = 1_000_000;

  @TempDir private Path directory;

  @Test
  void anOwnWorkerAndAnotherMakeTheSameDirectory() throws Exception {
    String[] options = {
      "--scheme",
      "nf4",
      "--double-quant",
      "--skip-modules",
      SKIPPED,
      "--max-shard-bytes",
      Integer.toString(SHARD_BYTES)
    };
    String own = quantized(Map.of(), TINY.toString(), "own", options);
    assertThat(own)
        .contains("own: 0.19 MB -> 0.0", "relative error 0.", "digest ", "largest errors")
        .doesNotContain(SKIPPED);
    assertShards(directory.resolve("own"));

    try (WorkerProcess worker = WorkerProcess.serve(TinyModel.ROOT)) {
      String sent =
          quantized(
              Map.of(), TinyModel.NAME, "sent", append(options, "--worker", worker.address()));
      assertThat(result(sent)).isEqualTo(result(own).replaceFirst("own", "sent"));
    }
    assertThat(contents("sent")).isEqualTo(contents("own"));
    assertThat(files()).containsExactlyInAnyOrder("own", "sent");
  }

  /** What was printed of the result, but for the time that it took. */
  private static String result(String said) {
    return said.substring(said.lastIndexOf("\n", said.indexOf(" MB -> ")) + 1)
        .replaceFirst(" in [0-9.]+ s,", " in T s,");
  }

  private static void assertShards(Path made) throws IOException {
    Map<String, StoredType> weights = new TreeMap<>();
    try (Stream<Path> files = Files.list(made)) {
      List<Path> shards = files.filter(file -> file.toString().endsWith(".safetensors")).toList();
      assertThat(shards).hasSizeGreaterThan(1);
      for (Path shard : shards) {
        Safetensors.open(shard)
            .tensors()
            .forEach((name, tensor) -> weights.put(name, tensor.type()));
      }
    }
    assertThat(made.resolve("model.safetensors.index.json")).exists();
    assertThat(weights)
        .containsEntry(SKIPPED + ".weight", StoredType.F32)
        .containsEntry("layers.0.mlp.down_proj.weight", StoredType.U8)
        .containsEntry("layers.1.mlp.up_proj.weight", StoredType.U8);
  }

  @Test
  void whatTheWorkerRefusesIsSaid() throws Exception {
    String[] blocks = {"--scheme", "nf4", "--blocksize", "48"};
    assertThat(refused(Map.of(), TINY.toString(), "made", blocks))
        .contains("graft: block_size is 48; it must be a power of two from 32 to 4096.");
    assertThat(
            refused(
                Map.of("HF_HUB_OFFLINE", "1", "HF_HOME", directory.resolve("hub").toString()),
                "hf://graft/tiny",
                "made",
                "--scheme",
                "nf4"))
        .contains("graft: ", "hf://graft/tiny", "HF_HUB_OFFLINE");
    assertThat(directory.resolve("made")).doesNotExist();
  }

  @Test
  void aBackboneComesFromAHub() throws Exception {
    try (FakeHub hub = hub()) {
      Map<String, String> environment = environment(hub);
      quantized(environment, "hf://graft/tiny", "fetched", "--scheme", "int8");
      assertThat(hub.asked())
          .containsExactlyInAnyOrder("config.json", "config_v4.json", "model.safetensors");

      assertThat(refused(environment, "hf://graft/other", "made", "--scheme", "int8"))
          .contains("graft: ", "hf://graft/other");
      assertThat(directory.resolve("made")).doesNotExist();
    }
    quantized(Map.of(), TINY.toString(), "local", "--scheme", "int8");
    assertThat(contents("fetched")).isEqualTo(contents("local"));
  }

  @Test
  void featuresAreExtractedFromAHubsBackbone() throws Exception {
    Files.writeString(directory.resolve("items.jsonl"), "{\"input_ids\": [1, 2, 3]}\n");
    try (FakeHub hub = hub()) {
      extract(environment(hub), "hf://graft/tiny@main", "fetched.jsonl");
    }
    extract(Map.of(), TINY.toString(), "local.jsonl");
    assertThat(directory.resolve("fetched.jsonl"))
        .hasSameBinaryContentAs(directory.resolve("local.jsonl"));
  }

  private void extract(Map<String, String> environment, String backbone, String output)
      throws Exception {
    String[] arguments = {
      "extract",
      "--backbone",
      backbone,
      "--input",
      "items.jsonl",
      "--output",
      output,
      "--compute-dtype",
      "fp32",
      "--kernel",
      "mkl"
    };
    try (GraftProcess command = GraftProcess.start(directory, environment, arguments)) {
      command.succeeds();
    }
  }

  @Test
  void ctrlCInTheMiddleLeavesNothing() throws Exception {
    makeLargeModel(directory.resolve("large"));
    try (GraftProcess command =
        GraftProcess.start(directory, Map.of(), arguments("large", "made", "--scheme", "nf4"))) {
      while (files().size() < 2) { // the model, and what is being made beside the output's place
        assertThat(command.isAlive()).as(command::said).isTrue();
        Thread.onSpinWait();
      }
      command.interrupt();
      assertThat(command.endsWith(130).said()).contains("graft: interrupted");
    }
    assertThat(files()).containsExactly("large");
  }

  /** The tiny model with many more inner values, 1.2 GB of zeros that take no room on a disk. */
  private static void makeLargeModel(Path model) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode configuration = (ObjectNode) json.readTree(TINY.resolve("config.json").toFile());
    int tinySize = configuration.get("intermediate_size").intValue();
    configuration.put("intermediate_size", LARGE_SIZE);
    ObjectNode header = json.createObjectNode();
    long bytes = 0;
    for (TensorEntry tensor :
        Safetensors.open(TINY.resolve("model.safetensors")).tensors().values()) {
      ObjectNode entry = header.putObject(tensor.name()).put("dtype", "F32");
      ArrayNode shape = entry.putArray("shape");
      long values = 1;
      for (long size : tensor.shape()) {
        long larger = size == tinySize ? LARGE_SIZE : size;
        shape.add(larger);
        values *= larger;
      }
      entry.putArray("data_offsets").add(bytes).add(bytes + Float.BYTES * values);
      bytes += Float.BYTES * values;
    }
    Files.createDirectory(model);
    json.writeValue(model.resolve("config.json").toFile(), configuration);
    byte[] text = json.writeValueAsBytes(header);
    try (RandomAccessFile file =
        new RandomAccessFile(model.resolve("model.safetensors").toFile(), "rw")) {
      file.writeLong(Long.reverseBytes(text.length));
      file.write(text);
      file.setLength(Long.BYTES + text.length + bytes);
    }
  }

  @Test
  void ctrlCWhileAHubSendsLeavesNothing() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    try (FakeHub hub =
        hub()
            .fault(
                "model.safetensors",
                (exchange, content) -> {
                  exchange.sendResponseHeaders(200, content.length);
                  exchange.getResponseBody().write(content, 0, content.length / 2);
                  exchange.getResponseBody().flush();
                  asked.countDown();
                  await(ended);
                })) {
      try (GraftProcess command =
          GraftProcess.start(
              directory,
              environment(hub),
              arguments("hf://graft/tiny", "made", "--scheme", "nf4"))) {
        asked.await();
        command.interrupt();
        assertThat(command.endsWith(130).said()).contains("graft: interrupted");
      } finally {
        ended.countDown();
      }
    }
    assertThat(files()).containsExactly("hub");
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static FakeHub hub() throws IOException {
    return new FakeHub()
        .with("config.json", Files.readString(TINY.resolve("config.json")))
        .with("config_v4.json", Files.readString(TINY.resolve("config_v4.json")))
        .with("model.safetensors", Files.readAllBytes(TINY.resolve("model.safetensors")))
        .with("pytorch_model.bin", new byte[] {1});
  }

  private Map<String, String> environment(FakeHub hub) {
    return Map.of(
        "HF_ENDPOINT",
        hub.endpoint().toString(),
        "HF_HOME",
        directory.resolve("hub").toString(),
        "HF_HUB_OFFLINE",
        "0");
  }

  /** Runs the command to its good end. Returns what it said. */
  private String quantized(
      Map<String, String> environment, String backbone, String output, String... options)
      throws Exception {
    try (GraftProcess command =
        GraftProcess.start(directory, environment, arguments(backbone, output, options))) {
      return command.succeeds().said();
    }
  }

  /** The same for one that fails. */
  private String refused(
      Map<String, String> environment, String backbone, String output, String... options)
      throws Exception {
    try (GraftProcess command =
        GraftProcess.start(directory, environment, arguments(backbone, output, options))) {
      return command.fails().said();
    }
  }

  private static String[] arguments(String backbone, String output, String... options) {
    return append(new String[] {"quantize", "--backbone", backbone, "--output", output}, options);
  }

  private static String[] append(String[] arguments, String... more) {
    return Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray(String[]::new);
  }

  /** What the directory has, but for what the commands said. */
  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.endsWith(".log"))
          .toList();
    }
  }

  /** The digests of a directory's files. */
  private Map<String, String> contents(String name) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(directory.resolve(name))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        contents.put(file.getFileName().toString(), Sha256.hex(Files.readAllBytes(file)));
      }
    }
    return contents;
  }
}

package dev.graft.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.client.ExtractJob;
import dev.graft.client.GraftClient;
import dev.graft.client.Tensors;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.LogEntry;
import dev.graft.v1.Objective;
import dev.graft.v1.Pooling;
import dev.graft.v1.Projector;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Python package, installed as a user does it, against a real worker. */
class PythonClientTest {
  private static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();
  private static final Path ENVIRONMENT = Path.of("target", "python").toAbsolutePath();
  private static final Path SCRIPTS = Path.of("python").toAbsolutePath();
  private static final List<String> MODELS = List.of("bert", "gpt2", TinyModel.NAME, "qwen3");
  private static final long PATIENCE_MINUTES = 10;

  /** One for both clients. */
  private static final FeatureSpec FEATURES = TinyModel.features(Pooling.POOLING_MEAN).build();

  private static final String PYTHON_OPTIONS =
      "{\"pooling\": \"mean\", \"compute_dtype\": \"fp32\"}";

  private static final TrainingArguments ARGUMENTS =
      TrainingArguments.newBuilder()
          .setLearningRate(0.01)
          .setMaxSteps(30)
          .setLoggingSteps(1)
          .setPerDeviceTrainBatchSize(4)
          .build();

  private static final String PYTHON_ARGUMENTS =
      "{\"learning_rate\": 0.01, \"max_steps\": 30, \"logging_steps\": 1,"
          + " \"per_device_train_batch_size\": 4}";

  @TempDir static Path models;
  private static Worker worker;

  @BeforeAll
  static void installAndServe() throws Exception {
    assumeThat(isThere("python3")).as("python3 is on the path").isTrue();
    run(List.of("python3", "-m", "venv", "--clear", ENVIRONMENT.toString()), "venv");
    run(
        List.of(
            python(),
            "-m",
            "pip",
            "install",
            "--quiet",
            REPOSITORY.resolve(Path.of("client", "python")).toString(),
            "pytest"),
        "pip");
    for (String model : MODELS) {
      copy(TinyModel.ROOT.resolve(model), models.resolve(model));
    }
    worker =
        Worker.start(
            new WorkerOptions()
                .listen("127.0.0.1", 0)
                .modelRoots(List.of(models))
                .writableRoots(List.of(models))
                .lanes(2)
                .tokensPerBatch(128));
  }

  @AfterAll
  static void stop() {
    if (worker != null) {
      worker.close();
    }
  }

  @Test
  void theScenariosHoldFromPython() throws Exception {
    run(
        List.of(python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", SCRIPTS.toString()),
        "pytest");
  }

  @Test
  void pythonGetsWhatJavaGets(@TempDir Path directory) throws Exception {
    List<Item> items = TinyModel.labelled(60, 3);
    Path input = Files.writeString(directory.resolve("items.jsonl"), jsonLines(items));
    Path output = directory.resolve("out.json");
    run(
        List.of(
            python(),
            SCRIPTS.resolve("dump.py").toString(),
            "--target",
            "127.0.0.1:" + worker.port(),
            "--backbone",
            TinyModel.NAME,
            "--items",
            input.toString(),
            "--output",
            output.toString(),
            "--options",
            PYTHON_OPTIONS,
            "--arguments",
            PYTHON_ARGUMENTS),
        "dump");
    JsonNode python = new ObjectMapper().readTree(output.toFile());
    try (GraftClient client = GraftClient.connect("127.0.0.1:" + worker.port())) {
      assertFeatures(python.get("features"), client, items);
      assertTraining(python, client, items);
    }
  }

  private static void assertFeatures(JsonNode python, GraftClient client, List<Item> items) {
    List<ItemResult> results =
        client
            .extractAsync(
                ExtractJob.of(ExtractSpec.newBuilder().setFeatures(FEATURES).build()), items)
            .join()
            .results()
            .stream()
            .sorted(Comparator.comparingLong(ItemResult::getNumber))
            .toList();
    assertThat(python).hasSize(items.size());
    for (int i = 0; i < items.size(); i++) {
      float[] features = new float[python.get(i).size()];
      for (int j = 0; j < features.length; j++) {
        features[j] = (float) python.get(i).get(j).doubleValue();
      }
      assertThat(features).isEqualTo(Tensors.toFloats(results.get(i).getFeatures()));
    }
  }

  private static void assertTraining(JsonNode python, GraftClient client, List<Item> items) {
    TrainSpec spec =
        TrainSpec.newBuilder()
            .setProjector(Projector.getDefaultInstance())
            .setFeatures(FEATURES)
            .setObjective(
                Objective.newBuilder().setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(3)))
            .setArguments(ARGUMENTS)
            .build();
    List<LogEntry> logs = new ArrayList<>();
    List<TrainEvent> events = new ArrayList<>();
    try (TrainingCall call = client.train(TrainJob.of(spec, items))) {
      call.forEachRemaining(events::add);
    }
    for (TrainEvent event : events) {
      if (event instanceof TrainEvent.Log log) {
        logs.add(log.entry());
      }
    }
    assertThat(python.get("logs")).hasSameSizeAs(logs);
    for (int i = 0; i < logs.size(); i++) {
      JsonNode log = python.get("logs").get(i);
      assertThat(log.get("step").longValue()).isEqualTo(logs.get(i).getStep());
      assertThat(log.get("loss").doubleValue()).isEqualTo(logs.get(i).getLoss());
      assertThat(log.get("grad_norm").doubleValue()).isEqualTo(logs.get(i).getGradNorm());
      assertThat(log.get("learning_rate").doubleValue()).isEqualTo(logs.get(i).getLearningRate());
    }
    TrainEvent.Completed completed = (TrainEvent.Completed) events.get(events.size() - 1);
    assertThat(python.get("projector_sha256").textValue())
        .isEqualTo(completed.result().getProjectorSha256());
  }

  private static String jsonLines(List<Item> items) {
    StringBuilder lines = new StringBuilder();
    for (Item item : items) {
      ObjectNode line = new ObjectMapper().createObjectNode();
      item.getContent().getTokenIds().getIdsList().forEach(line.putArray("input_ids")::add);
      // The names' order is that of the numbers.
      line.put("label", "class " + item.getLabel().getClassIndex());
      lines.append(line).append('\n');
    }
    return lines.toString();
  }

  private static String python() {
    boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("windows");
    return ENVIRONMENT.resolve(windows ? "Scripts/python" : "bin/python").toString();
  }

  private static boolean isThere(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }

  /** Runs a command to its good end; what it said goes to {@code target/python-NAME.log}. */
  private static void run(List<String> command, String name)
      throws IOException, InterruptedException {
    Path log = Path.of("target", "python-" + name + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    Map<String, String> environment = builder.environment();
    environment.put("PYTHONDONTWRITEBYTECODE", "1");
    if (worker != null) {
      environment.put("GRAFT_TARGET", "127.0.0.1:" + worker.port());
      environment.put("GRAFT_MODEL", models.toRealPath().toString());
    }
    Process process = builder.start();
    boolean ended = process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES);
    if (!ended) {
      process.destroyForcibly();
    }
    assertThat(ended && process.exitValue() == 0)
        .as("%s\n%s", String.join(" ", command), Files.readString(log, UTF_8))
        .isTrue();
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }
}

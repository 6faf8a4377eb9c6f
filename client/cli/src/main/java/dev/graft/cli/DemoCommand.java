package dev.graft.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import dev.graft.cli.bundle.Manifest;
import dev.graft.cli.bundle.RunDirectory;
import dev.graft.cli.items.Classes;
import dev.graft.cli.items.ItemFile;
import dev.graft.cli.items.LabelSurvey;
import dev.graft.cli.items.ObjectiveKind;
import dev.graft.cli.items.Targets;
import dev.graft.cli.output.PartialFile;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.IntervalStrategy;
import dev.graft.v1.Pooling;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code graft demo}. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a projector on MiniLM that tells from which era a passage of a State of the Union"
          + " address is.",
      "Starts a worker on a free port and talks to it as to any other."
    })
final class DemoCommand implements Callable<Integer> {
  private static final TrainingArguments ARGUMENTS =
      TrainingArguments.newBuilder()
          .setLearningRate(1e-2)
          .setPerDeviceTrainBatchSize(32)
          .setNumTrainEpochs(10)
          .setWarmupRatio(0.1)
          .setLoggingSteps(10)
          .setEvalStrategy(IntervalStrategy.INTERVAL_STRATEGY_EPOCH)
          .build();

  @ParentCommand private GraftCommand graft;
  @Mixin private FarmOptions farm;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "graft-demo",
      description = "Directory to write. Default: ${DEFAULT-VALUE}.")
  private Path output;

  @Option(
      names = "--quantized",
      description =
          "Makes an NF4 copy of MiniLM first, trains on both, and shows both accuracies. The"
              + " projector on NF4, with its backbone, is in the output directory, that on the"
              + " unquantized model in its directory fp32. Not with --workers.")
  private boolean quantized;

  /** For tests, which have less time. */
  @Option(names = "--passages", hidden = true)
  private int passages = Integer.MAX_VALUE;

  /** What is trained and tested on. */
  private record Data(ItemFile train, long trainItems, ItemFile test, Targets targets) {
    Classes classes() {
      return targets.classes().orElseThrow();
    }
  }

  @Override
  public Integer call() throws IOException {
    if (quantized && !farm.isOwn()) {
      throw farm.wrong("--quantized makes a copy of the model here; it cannot go with --workers");
    }
    Surroundings surroundings = graft.surroundings();
    long start = surroundings.clock().millis();
    Path backbone = DemoBackbone.unpack();
    Data data = unpackData();
    double majorityShare = LabelSurvey.of(data.test()).majorityShare();
    surroundings
        .err()
        .printf(
            "%d passages to train on, %d to test on, %d eras; backbone %s%n",
            data.trainItems(), data.test().count(), data.classes().size(), backbone);
    if (quantized) {
      trainOnBoth(surroundings, backbone, data, majorityShare);
    } else {
      try (Workers workers = farm.open(surroundings, backbone.toString())) {
        Manifest manifest = train(workers, data, backbone, Optional.empty(), output);
        surroundings.out().println(accuracy("accuracy", manifest, majorityShare));
        report(surroundings.out(), manifest);
      }
    }
    surroundings
        .err()
        .printf(Locale.ROOT, "%.1f s in all%n", (surroundings.clock().millis() - start) / 1e3);
    return 0;
  }

  private Data unpackData() throws IOException {
    Path directory = Files.createDirectories(output.resolve("data"));
    ItemFile train = ItemFile.of(unpack("train.jsonl", directory));
    ItemFile test = ItemFile.of(unpack("test.jsonl", directory));
    unpack("README.md", directory);
    LabelSurvey survey = LabelSurvey.of(train);
    return new Data(train, survey.items(), test, Targets.of(ObjectiveKind.CROSS_ENTROPY, survey));
  }

  private void trainOnBoth(
      Surroundings surroundings, Path backbone, Data data, double majorityShare)
      throws IOException {
    QuantizationScheme scheme = QuantizationScheme.QUANTIZATION_SCHEME_NF4;
    try (CopyPlaces places = CopyPlaces.temporary();
        WorkerSession worker =
            farm.connect(
                surroundings, Optional.of(backbone.toString()), List.of(places.parent()))) {
      Path copy = places.of(scheme);
      QuantizeRequest.Builder request =
          QuantizeRequest.newBuilder().setScheme(scheme).setDestination(copy.toString());
      request.getSourceBuilder().setPath(backbone.toString());
      QuantizationRun run = new QuantizationRun(surroundings, worker.client());
      run.report("NF4", run.perform(request.build(), Optional.empty()));
      Manifest plain = train(worker, data, backbone, Optional.empty(), output.resolve("fp32"));
      Manifest onCopy = train(worker, data, copy, Optional.of(copy), output);
      surroundings
          .out()
          .printf(
              "%n%s%n%s%n",
              accuracy("fp32: accuracy", plain, majorityShare),
              accuracy("NF4:  accuracy", onCopy, majorityShare));
      report(surroundings.out(), onCopy);
    }
  }

  private Manifest train(
      Workers workers, Data data, Path backbone, Optional<Path> included, Path directory)
      throws IOException {
    return TrainingRun.run(
        graft.surroundings(),
        workers,
        new TrainingRun.Inputs(
            data.train(),
            data.trainItems(),
            Optional.of(data.test()),
            data.targets(),
            ByteString.EMPTY,
            ByteString.EMPTY,
            included),
        spec(backbone, data.classes()),
        directory);
  }

  private static TrainSpec spec(Path backbone, Classes classes) {
    TrainSpec.Builder spec = TrainSpec.newBuilder().setArguments(ARGUMENTS);
    spec.getFeaturesBuilder()
        .setPooling(Pooling.POOLING_MEAN)
        .getBackboneBuilder()
        .setPath(backbone.toString());
    spec.getProjectorBuilder().setKind(ProjectorKind.PROJECTOR_KIND_LINEAR);
    spec.getObjectiveBuilder()
        .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(classes.size()));
    return spec.build();
  }

  private Path unpack(String resource, Path directory) throws IOException {
    Path file = directory.resolve(resource);
    try (InputStream in = DemoCommand.class.getResourceAsStream("demo/" + resource)) {
      String content = new String(in.readAllBytes(), UTF_8);
      String wanted = content.lines().limit(passages).map(line -> line + "\n").collect(joining());
      PartialFile.write(file, wanted.getBytes(UTF_8));
    }
    return file;
  }

  /** The demo's training passages, as plain texts. */
  static List<String> passages() throws IOException {
    List<String> passages = new ArrayList<>();
    try (InputStream in = DemoCommand.class.getResourceAsStream("demo/train.jsonl");
        MappingIterator<JsonNode> rows =
            new ObjectMapper().readerFor(JsonNode.class).readValues(in)) {
      rows.forEachRemaining(row -> passages.add(row.get("text").textValue()));
    }
    return passages;
  }

  private static String accuracy(String name, Manifest manifest, double majorityShare) {
    Map<String, Double> metrics = manifest.evaluation();
    return String.format(
        Locale.ROOT,
        "%s %.1f%% on unseen speeches (always the most frequent era: %.1f%%), macro-F1 %.3f, loss"
            + " %.3f",
        name,
        100 * metrics.getOrDefault("eval_accuracy", Double.NaN),
        100 * majorityShare,
        metrics.getOrDefault("eval_f1", Double.NaN),
        metrics.getOrDefault("eval_loss", Double.NaN));
  }

  private void report(PrintStream out, Manifest manifest) {
    out.printf(
        Locale.ROOT,
        """

        projector   %s
        manifest    %s
        metrics     %s
        TensorBoard tensorboard --logdir %s
        report      %s

        Load it in PyTorch:
          import torch
          from safetensors.torch import load_file
          projector = torch.nn.Linear(%d, %d)
          projector.load_state_dict(load_file("%s"))
          print(projector(torch.zeros(1, %d)).softmax(-1))

        Use it:
          bin/graft predict --bundle %s --input %s --output predictions.jsonl
        """,
        output.resolve(Manifest.PROJECTOR_FILE),
        output.resolve(Manifest.FILE),
        output.resolve("metrics.jsonl"),
        output.resolve("tensorboard"),
        output.resolve(RunDirectory.REPORT_FILE),
        inputSize(manifest),
        manifest.classes().map(Classes::size).orElseThrow(),
        output.resolve(Manifest.PROJECTOR_FILE),
        inputSize(manifest),
        output,
        output.resolve("data").resolve("test.jsonl"));
  }

  /** The last size of the weight [classes, features]. */
  private static long inputSize(Manifest manifest) {
    return manifest.audit().getTrainableList().stream()
        .filter(tensor -> tensor.getName().equals("weight"))
        .findFirst()
        .orElseThrow()
        .getShape(1);
  }
}

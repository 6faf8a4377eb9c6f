package dev.graft.cli;

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

  @Override
  public Integer call() throws IOException {
    Surroundings surroundings = graft.surroundings();
    long start = surroundings.clock().millis();
    Path backbone = DemoBackbone.unpack();
    Path data = Files.createDirectories(output.resolve("data"));
    ItemFile train = ItemFile.of(unpack("train.jsonl", data));
    ItemFile test = ItemFile.of(unpack("test.jsonl", data));
    unpack("README.md", data);

    LabelSurvey survey = LabelSurvey.of(train);
    Targets targets = Targets.of(ObjectiveKind.CROSS_ENTROPY, survey);
    Classes classes = targets.classes().orElseThrow();
    surroundings
        .err()
        .printf(
            "%d passages to train on, %d to test on, %d eras; backbone %s%n",
            survey.items(), test.count(), classes.size(), backbone);
    Manifest manifest;
    try (Workers workers = farm.open(surroundings, backbone.toString())) {
      manifest =
          TrainingRun.run(
              surroundings,
              workers,
              new TrainingRun.Inputs(
                  train,
                  survey.items(),
                  Optional.of(test),
                  targets,
                  ByteString.EMPTY,
                  ByteString.EMPTY,
                  Optional.empty()),
              spec(backbone, classes),
              output);
    }
    report(surroundings.out(), manifest, LabelSurvey.of(test).majorityShare());
    surroundings
        .err()
        .printf(Locale.ROOT, "%.1f s in all%n", (surroundings.clock().millis() - start) / 1e3);
    return 0;
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

  private static Path unpack(String resource, Path directory) throws IOException {
    Path file = directory.resolve(resource);
    try (InputStream in = DemoCommand.class.getResourceAsStream("demo/" + resource)) {
      PartialFile.write(file, in.readAllBytes());
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

  private void report(PrintStream out, Manifest manifest, double majorityShare) {
    out.printf(
        Locale.ROOT,
        """
        accuracy %.1f%% on unseen speeches (always the most frequent era: %.1f%%), macro-F1 %.3f, loss %.3f

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
        100 * manifest.evaluation().getOrDefault("eval_accuracy", Double.NaN),
        100 * majorityShare,
        manifest.evaluation().getOrDefault("eval_f1", Double.NaN),
        manifest.evaluation().getOrDefault("eval_loss", Double.NaN),
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

package dev.graft.cli;

import com.google.protobuf.ByteString;
import dev.graft.cli.bundle.Checkpoints;
import dev.graft.cli.bundle.Manifest;
import dev.graft.cli.bundle.RunDirectory;
import dev.graft.cli.items.ItemFile;
import dev.graft.cli.items.LabelSurvey;
import dev.graft.cli.items.ObjectiveKind;
import dev.graft.cli.items.Targets;
import dev.graft.v1.IntervalStrategy;
import dev.graft.v1.Pooling;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code graft train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Trains a projector on the features of a frozen backbone.",
      "The output directory gets projector.safetensors (names of torch.nn.Linear and"
          + " nn.Sequential), graft.json, metrics.jsonl, report.html, tensorboard/ and"
          + " checkpoints/."
    })
final class TrainCommand implements Callable<Integer> {
  private final TrainingArguments.Builder arguments = TrainingArguments.newBuilder();

  @ParentCommand private GraftCommand graft;
  @Spec private CommandSpec spec;
  @Mixin private FarmOptions farm;
  @Mixin private FeatureOptions features;
  @Mixin private ProjectorOptions projector;
  @Mixin private ObjectiveOptions objective;

  @Option(
      names = "--train",
      required = true,
      paramLabel = "FILE",
      description = {
        "Items to train on: .jsonl ({\"text\" | \"input_ids\", \"label\"?, \"pair\"?, \"id\"?} a"
            + " line) or .csv (columns text, label).",
        "Labels: class names or class numbers, numbers to come close to, or lists of these."
      })
  private Path train;

  @Option(names = "--eval", paramLabel = "FILE", description = "Items to evaluate on, likewise.")
  private Optional<Path> eval = Optional.empty();

  @Option(
      names = "--output",
      required = true,
      paramLabel = "DIR",
      description =
          "Directory to write; made if it is not there. An earlier bundle in it is replaced.")
  private Path output;

  @Option(
      names = "--resume-from-checkpoint",
      paramLabel = "FILE|auto",
      description =
          "Goes on from a checkpoint; auto: from the last one in the output directory, or from the"
              + " beginning if there is none.")
  private Optional<String> resume = Optional.empty();

  @Option(
      names = "--include-backbone",
      description =
          "Copies the backbone into the output directory, so that the bundle is complete. Not with"
              + " --workers, whose files are elsewhere.")
  private boolean includeBackbone;

  @Option(
      names = "--train-modules",
      paramLabel = "NAME",
      split = ",",
      description =
          "Modules of the backbone that should train too. It is frozen: the worker says which of"
              + " them are quantized, and what to do instead.")
  private List<String> backboneModules = List.of();

  /** Where the options of the training arguments go. */
  TrainingArguments.Builder arguments() {
    return arguments;
  }

  @Override
  public Integer call() throws IOException {
    requireConsistent();
    Surroundings surroundings = graft.surroundings();
    ItemFile trainFile = ItemFile.of(train);
    Optional<ItemFile> evalFile = eval.map(ItemFile::of);
    LabelSurvey survey = LabelSurvey.of(trainFile);
    ObjectiveKind kind = objective.kind().orElseGet(survey::defaultObjective);
    Targets targets = Targets.of(kind, survey);
    targets.check(trainFile);
    if (evalFile.isPresent()) {
      targets.check(evalFile.get());
    }
    String backbone = farm.backbonePath(features.backbone());
    Optional<Path> includedBackbone = Optional.empty();
    if (includeBackbone) {
      IncludedBackbone included = IncludedBackbone.of(backbone, surroundings);
      backbone = included.path();
      includedBackbone = Optional.of(included.files());
    }
    TrainingRun.Inputs inputs =
        new TrainingRun.Inputs(
            trainFile,
            survey.items(),
            evalFile,
            targets,
            initialWeights(),
            checkpoint(),
            includedBackbone);
    TrainSpec trainSpec =
        TrainSpec.newBuilder()
            .setFeatures(features.toSpec(backbone))
            .setProjector(projector.toProto())
            .setObjective(objective.toProto(targets))
            .setArguments(arguments)
            .addAllBackboneModules(backboneModules)
            .build();
    Manifest manifest;
    try (Workers workers = farm.open(surroundings, backbone)) {
      manifest = TrainingRun.run(surroundings, workers, inputs, trainSpec, output);
    }
    report(surroundings.out(), manifest, output);
    return 0;
  }

  private void requireConsistent() {
    if (features.pooling() == Pooling.POOLING_NONE) {
      throw wrong("--pooling none gives a feature a token; training needs one an item");
    }
    boolean evaluates =
        arguments.getEvalStrategy() == IntervalStrategy.INTERVAL_STRATEGY_STEPS
            || arguments.getEvalStrategy() == IntervalStrategy.INTERVAL_STRATEGY_EPOCH;
    if (evaluates && eval.isEmpty()) {
      throw wrong("--eval-strategy needs --eval FILE");
    }
    if (eval.isPresent()
        && arguments.getEvalStrategy() == IntervalStrategy.INTERVAL_STRATEGY_UNSPECIFIED) {
      arguments.setEvalStrategy(IntervalStrategy.INTERVAL_STRATEGY_EPOCH);
    }
    if (includeBackbone && !farm.isOwn()) {
      throw wrong(
          "--include-backbone needs the backbone's files here; it cannot go with --workers");
    }
    if (Files.exists(output) && !Files.isDirectory(output)) {
      throw wrong("--output must be a directory, " + output + " is a file");
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private ByteString initialWeights() throws IOException {
    return projector.initialWeights().isEmpty()
        ? ByteString.EMPTY
        : read(projector.initialWeights().get());
  }

  private ByteString checkpoint() throws IOException {
    if (resume.isEmpty()) {
      return ByteString.EMPTY;
    }
    if (!resume.get().equals("auto")) {
      return read(Path.of(resume.get()));
    }
    Optional<Checkpoints.Saved> latest = Checkpoints.of(output).latest();
    PrintStream err = graft.surroundings().err();
    if (latest.isEmpty()) {
      err.println("no checkpoint in " + output + ": training from the beginning");
      return ByteString.EMPTY;
    }
    err.println("going on from " + latest.get().file());
    return read(latest.get().file());
  }

  private static ByteString read(Path file) throws IOException {
    return ByteString.copyFrom(Files.readAllBytes(file));
  }

  /** Says what was made. */
  static void report(PrintStream out, Manifest manifest, Path output) {
    out.printf(
        Locale.ROOT,
        "train_loss %.4g after %d steps in %.1f s%s%n",
        manifest.result().getTrainLoss(),
        manifest.result().getStep(),
        manifest.result().getTrainRuntimeSeconds(),
        manifest.result().getStopReason().isEmpty()
            ? ""
            : ", ended by " + manifest.result().getStopReason());
    new TreeMap<>(manifest.evaluation())
        .forEach((name, value) -> out.printf(Locale.ROOT, "%s %.4f%n", name, value));
    out.printf("projector: %s%n", output.resolve(Manifest.PROJECTOR_FILE));
    out.printf("report: %s%n", output.resolve(RunDirectory.REPORT_FILE));
  }
}

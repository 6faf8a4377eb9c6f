package dev.graft.cli;

import com.google.protobuf.ByteString;
import dev.graft.cli.bundle.Manifest;
import dev.graft.cli.bundle.RunDirectory;
import dev.graft.cli.bundle.Versions;
import dev.graft.cli.items.InputItem;
import dev.graft.cli.items.ItemFile;
import dev.graft.cli.items.Targets;
import dev.graft.cli.progress.FarmView;
import dev.graft.cli.progress.Progress;
import dev.graft.cli.progress.WorkersView;
import dev.graft.client.GraftRpcException;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.pool.IncompleteJobException;
import dev.graft.v1.Evaluation;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.Item;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingProgress;
import dev.graft.v1.TrainingStarted;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One training from files of items to a bundle. */
final class TrainingRun {
  /**
   * What to train on.
   *
   * @param initialProjector starting weights; empty for fresh ones
   * @param checkpoint what to go on from; empty for the beginning
   */
  record Inputs(
      ItemFile train,
      long trainItems,
      Optional<ItemFile> eval,
      Targets targets,
      ByteString initialProjector,
      ByteString checkpoint,
      Optional<Path> includedBackbone) {}

  private final Surroundings surroundings;
  private final Workers workers;
  private final Progress progress;
  private final RunDirectory directory;
  private final Inputs inputs;
  private Optional<Path> lastCheckpoint = Optional.empty();
  private TrainReady ready = TrainReady.getDefaultInstance();
  private TrainingStarted started = TrainingStarted.getDefaultInstance();
  private long startedMillis;

  private TrainingRun(
      Surroundings surroundings,
      Workers workers,
      Progress progress,
      RunDirectory directory,
      Inputs inputs) {
    this.surroundings = surroundings;
    this.workers = workers;
    this.progress = progress;
    this.directory = directory;
    this.inputs = inputs;
  }

  /** Trains. What comes meanwhile is kept in the output directory whatever happens. */
  static Manifest run(
      Surroundings surroundings, Workers workers, Inputs inputs, TrainSpec spec, Path output)
      throws IOException {
    try (Progress progress = surroundings.progress();
        RunDirectory directory = new RunDirectory(output, surroundings.clock())) {
      TrainingRun run = new TrainingRun(surroundings, workers, progress, directory, inputs);
      try {
        return run.run(spec);
      } catch (RuntimeException e) {
        run.sayWhatIsKept();
        throw run.explained(e);
      }
    }
  }

  private void sayWhatIsKept() {
    lastCheckpoint.ifPresent(
        file ->
            progress.message(
                "kept " + file + "; --resume-from-checkpoint auto goes on from there"));
  }

  private RuntimeException explained(RuntimeException failure) throws IOException {
    if (failure instanceof GraftRpcException refused) {
      return located(refused);
    }
    return failure instanceof IncompleteJobException incomplete
        ? WorkerComplaint.incomplete(
            incomplete, Stream.concat(Stream.of(inputs.train()), inputs.eval().stream()).toList())
        : failure;
  }

  /** Numbers are given through: the items to evaluate on follow those to train on. */
  private RuntimeException located(GraftRpcException failure) throws IOException {
    RuntimeException located =
        WorkerComplaint.located(failure, inputs.train(), 0, inputs.trainItems());
    return located == failure && inputs.eval().isPresent()
        ? WorkerComplaint.located(failure, inputs.eval().get(), inputs.trainItems(), Long.MAX_VALUE)
        : located;
  }

  @SuppressWarnings("try") // the registration is held open, not used
  private Manifest run(TrainSpec spec) throws IOException {
    TrainJob job =
        new TrainJob(
            spec,
            () -> new Labelled(inputs.train(), inputs.targets(), 0),
            inputs
                .eval()
                .<Iterable<Item>>map(
                    file -> () -> new Labelled(file, inputs.targets(), inputs.trainItems()))
                .orElse(List.of()),
            inputs.initialProjector(),
            inputs.checkpoint(),
            Optional.empty());
    progress.status("loading " + spec.getFeatures().getBackbone().getPath());
    try (WorkersView view = workers.show(progress, FarmView.Job.training(inputs.trainItems()));
        Workers.Training training = workers.train(job);
        Interruption.Registration cancel =
            surroundings.interruption().onInterrupt(training::close)) {
      Iterator<TrainEvent> events = training.events();
      Optional<TrainEvent.Completed> completed = Optional.empty();
      while (events.hasNext()) {
        TrainEvent event = events.next();
        if (event instanceof TrainEvent.Completed end) {
          completed = Optional.of(end);
        } else {
          take(event, training);
        }
      }
      view.awaitEndOfJob();
      TrainEvent.Completed end =
          completed.orElseThrow(() -> new CommandFailure("the worker ended without a result"));
      return directory.complete(
          complete(end.result()),
          end.projectorFile(),
          inputs.targets().classes(),
          new Versions(GraftVersion.current(), workers.version()),
          inputs.includedBackbone());
    }
  }

  /**
   * The result with what a worker that was given features does not know: the backbone, and how long
   * others trained before it.
   */
  private TrainResult complete(TrainResult result) {
    if (!result.getAudit().getFrozenDigest().isEmpty()) {
      return result;
    }
    ParameterAudit audit =
        ready.getAudit().toBuilder()
            .clearTrainable()
            .addAllTrainable(result.getAudit().getTrainableList())
            .setTrainableParameters(result.getAudit().getTrainableParameters())
            .build();
    double seconds = (surroundings.clock().millis() - startedMillis) / 1e3;
    return result.toBuilder()
        .setAudit(audit)
        .setTrainRuntimeSeconds(Math.max(seconds, result.getTrainRuntimeSeconds()))
        .build();
  }

  private void take(TrainEvent event, Workers.Training training) throws IOException {
    if (event instanceof TrainEvent.Ready accepted) {
      ready(accepted.ready());
    } else if (event instanceof TrainEvent.Extraction extraction) {
      progress.update(
          "extracting",
          "items",
          extraction.progress().getItemsDone(),
          Math.max(inputs.trainItems(), extraction.progress().getItemsReceived()),
          "");
    } else if (event instanceof TrainEvent.Started start) {
      training.features().get().ifPresent(this::requireSameBackbone);
      begin(start.training());
    } else if (event instanceof TrainEvent.Training moving) {
      TrainingProgress at = moving.progress();
      show(at.getStep(), at.getLoss(), at.getEpoch());
    } else if (event instanceof TrainEvent.Log log) {
      directory.log(log.entry());
      show(log.entry().getStep(), log.entry().getLoss(), log.entry().getEpoch());
    } else if (event instanceof TrainEvent.Evaluated evaluated) {
      directory.evaluated(evaluated.evaluation());
      progress.message(describe(evaluated.evaluation()));
    } else if (event instanceof TrainEvent.CheckpointSaved checkpoint) {
      lastCheckpoint = Optional.of(directory.checkpoint(checkpoint.step(), checkpoint.file()));
    } else {
      throw new IllegalStateException("an event of no known kind: " + event);
    }
  }

  private void ready(TrainReady newReady) throws IOException {
    ready = newReady;
    directory.ready(ready, !inputs.checkpoint().isEmpty());
    progress.message(
        String.format(
            Locale.ROOT,
            "training %,d parameters, %,d frozen",
            ready.getAudit().getTrainableParameters(),
            ready.getAudit().getFrozenParameters()));
  }

  /** The spec was accepted by one worker, the features came from others. */
  private void requireSameBackbone(ExtractReady features) {
    String accepted = ready.getAudit().getFrozenDigest();
    if (!features.getBackboneDigest().equals(accepted)) {
      throw new CommandFailure(
          "the workers have different backbones under the name %s: one with the digest %s, others with %s"
              .formatted(
                  ready.getSpec().getFeatures().getBackbone().getPath(),
                  accepted,
                  features.getBackboneDigest()));
    }
  }

  private void begin(TrainingStarted training) throws IOException {
    started = training;
    startedMillis = surroundings.clock().millis();
    directory.started(training);
    if (training.getTruncatedItems() > 0) {
      progress.message(
          training.getTruncatedItems()
              + " items were longer than the longest allowed and were cut");
    }
    progress.update("training", "steps", training.getFirstStep(), training.getTotalSteps(), "");
  }

  private void show(long step, double loss, double epoch) {
    progress.update(
        "training",
        "steps",
        step,
        started.getTotalSteps(),
        String.format(Locale.ROOT, "loss %.4g, epoch %.2f", loss, epoch));
  }

  private static String describe(Evaluation evaluation) {
    String metrics =
        new TreeMap<>(evaluation.getMetricsMap())
            .entrySet().stream()
                .map(m -> String.format(Locale.ROOT, "%s %.4g", m.getKey(), m.getValue()))
                .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        "step %d, epoch %.2f: %s",
        evaluation.getStep(),
        evaluation.getEpoch(),
        metrics);
  }

  /** A file's items with their targets. The file is closed when it is read to its end. */
  private static final class Labelled implements Iterator<Item> {
    private final ItemFile file;
    private final Targets targets;
    private final long firstNumber;
    private final ItemFile.Items items;

    Labelled(ItemFile file, Targets targets, long firstNumber) {
      this.file = file;
      this.targets = targets;
      this.firstNumber = firstNumber;
      this.items = file.openUnchecked();
    }

    @Override
    public boolean hasNext() {
      return items.hasNext();
    }

    @Override
    public Item next() {
      InputItem item = items.next();
      return targets.toProto(file, item).toBuilder().setNumber(firstNumber + item.number()).build();
    }
  }
}

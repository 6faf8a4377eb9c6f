package dev.graft.cli.bundle;

import com.google.protobuf.ByteString;
import dev.graft.cli.items.Classes;
import dev.graft.cli.output.PartialFile;
import dev.graft.v1.Evaluation;
import dev.graft.v1.LogEntry;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingStarted;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The directory that a training run writes. Metrics and checkpoints appear as they come and stay
 * whatever happens; projector and manifest appear at the end, so that what looks like a bundle is
 * one.
 */
public final class RunDirectory implements Closeable {
  /** The report's file name. */
  public static final String REPORT_FILE = "report.html";

  private final Path directory;
  private final Clock clock;
  private final Checkpoints checkpoints;
  private final List<Checkpoints.Saved> stale = new ArrayList<>();
  private final Map<String, Double> evaluation = new TreeMap<>();
  private TrainReady ready = TrainReady.getDefaultInstance();
  private TrainingStarted started = TrainingStarted.getDefaultInstance();
  private Optional<MetricsLog> metrics = Optional.empty();
  private Optional<EventFile> events = Optional.empty();

  /** The run's directory, which is made when the worker has accepted the job. */
  public RunDirectory(Path directory, Clock clock) {
    this.directory = directory;
    this.clock = clock;
    this.checkpoints = Checkpoints.of(directory);
  }

  /** The worker has accepted the job: from here on, an earlier bundle in the directory is gone. */
  public void ready(TrainReady newReady, boolean resumed) throws IOException {
    ready = newReady;
    Files.createDirectories(directory);
    for (String file : List.of(Manifest.FILE, Manifest.PROJECTOR_FILE, REPORT_FILE)) {
      Files.deleteIfExists(directory.resolve(file));
    }
    if (!resumed) {
      stale.addAll(checkpoints.all());
    }
  }

  /** Training begins, at a first step above 0 if it goes on from a checkpoint. */
  public void started(TrainingStarted newStarted) throws IOException {
    started = newStarted;
    metrics =
        Optional.of(MetricsLog.open(directory.resolve("metrics.jsonl"), newStarted.getFirstStep()));
    Path board = Files.createDirectories(directory.resolve("tensorboard"));
    if (newStarted.getFirstStep() == 0) {
      deleteEvents(board);
    }
    events = Optional.of(EventFile.in(board, clock));
  }

  private static void deleteEvents(Path board) throws IOException {
    List<Path> old;
    try (Stream<Path> files = Files.list(board)) {
      old =
          files.filter(f -> f.getFileName().toString().startsWith("events.out.tfevents.")).toList();
    }
    for (Path file : old) {
      Files.delete(file);
    }
  }

  /** A log entry. */
  public void log(LogEntry entry) throws IOException {
    Map<String, Double> row = row(entry.getStep(), entry.getEpoch());
    row.put("loss", entry.getLoss());
    row.put("grad_norm", entry.getGradNorm());
    row.put("learning_rate", entry.getLearningRate());
    add(entry.getStep(), row);
  }

  /** An evaluation. */
  public void evaluated(Evaluation newEvaluation) throws IOException {
    evaluation.clear();
    evaluation.putAll(newEvaluation.getMetricsMap());
    Map<String, Double> row = row(newEvaluation.getStep(), newEvaluation.getEpoch());
    row.putAll(evaluation);
    add(newEvaluation.getStep(), row);
  }

  private static Map<String, Double> row(long step, double epoch) {
    Map<String, Double> row = new LinkedHashMap<>();
    row.put("step", (double) step);
    row.put("epoch", epoch);
    return row;
  }

  private void add(long step, Map<String, Double> row) throws IOException {
    metrics.orElseThrow().add(row);
    Map<String, Double> scalars = new LinkedHashMap<>();
    for (Map.Entry<String, Double> value : row.entrySet()) {
      if (!value.getKey().equals("step")) {
        scalars.put(boardTag(value.getKey()), value.getValue());
      }
    }
    events.orElseThrow().scalars(step, scalars);
  }

  /** Tags as transformers' TensorBoardCallback makes them. */
  private static String boardTag(String key) {
    return key.startsWith("eval_") ? "eval/" + key.substring("eval_".length()) : "train/" + key;
  }

  /**
   * A checkpoint has come. Those of an earlier run, which this one does not go on from, go with its
   * first.
   */
  public Path checkpoint(long step, ByteString content) throws IOException {
    deleteStale();
    return checkpoints.save(step, content).file();
  }

  private void deleteStale() throws IOException {
    for (Checkpoints.Saved old : stale) {
      Files.deleteIfExists(old.file());
    }
    stale.clear();
  }

  /**
   * Training has ended well: writes what makes the directory a bundle, the manifest last.
   *
   * @param included the backbone's directory, if the bundle shall hold it
   */
  public Manifest complete(
      TrainResult result,
      ByteString projector,
      Optional<Classes> classes,
      Versions versions,
      Optional<Path> included)
      throws IOException {
    deleteStale();
    Map<String, Double> row = row(result.getStep(), result.getEpoch());
    row.put("train_runtime", result.getTrainRuntimeSeconds());
    double items = started.getTrainItems() * result.getEpoch();
    long steps = result.getStep() - started.getFirstStep();
    row.put("train_samples_per_second", items / result.getTrainRuntimeSeconds());
    row.put("train_steps_per_second", steps / result.getTrainRuntimeSeconds());
    row.put("train_loss", result.getTrainLoss());
    add(result.getStep(), row);

    Manifest manifest =
        new Manifest(
            withOutputSize(ready.getSpec(), result.getAudit()),
            included.isPresent(),
            ready.getAudit().getFrozenDigest(),
            classes,
            result.getAudit(),
            result,
            Map.copyOf(evaluation),
            versions.graft(),
            versions.worker());
    PartialFile.write(directory.resolve(Manifest.PROJECTOR_FILE), projector.toByteArray());
    if (included.isPresent()) {
      BackboneCopy.make(included.get(), directory.resolve(Manifest.BACKBONE));
    }
    Report report = new Report(manifest, started, metrics.orElseThrow().rows(), clock.instant());
    PartialFile.write(directory.resolve(REPORT_FILE), report.toHtml());
    manifest.write(directory);
    return manifest;
  }

  /** The size that followed from the data: that of the last Linear's weight [output, input]. */
  private static TrainSpec withOutputSize(TrainSpec spec, ParameterAudit audit) {
    TrainSpec.Builder sized = spec.toBuilder();
    audit.getTrainableList().stream()
        .filter(tensor -> tensor.getShapeCount() == 2)
        .reduce((earlier, later) -> later)
        .ifPresent(weight -> sized.getProjectorBuilder().setOutputSize((int) weight.getShape(0)));
    return sized.build();
  }

  @Override
  public void close() throws IOException {
    if (metrics.isPresent()) {
      metrics.get().close();
    }
    if (events.isPresent()) {
      events.get().close();
    }
  }
}

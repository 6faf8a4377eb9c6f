package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.Pooling;
import dev.graft.server.torch.Lanes;
import dev.graft.server.training.Evaluation;
import dev.graft.server.training.FeatureDataset;
import dev.graft.server.training.LogEntry;
import dev.graft.server.training.ParameterInfo;
import dev.graft.server.training.ProjectorSpec;
import dev.graft.server.training.TrainingProgress;
import dev.graft.server.training.TrainingResult;
import dev.graft.server.training.TrainingRun;
import dev.graft.server.training.TrainingSpec;
import dev.graft.server.training.TrainingStarted;
import java.util.List;
import java.util.Optional;

/**
 * Trains a projector on the features of items, which are computed once, while items still arrive.
 */
public final class TrainJob implements Job {
  /** What happens in the job. */
  public interface Listener {
    void onExtraction(ExtractionProgress progress);

    void onStarted(TrainingStarted started, ExtractionProgress progress);

    /** How far the training is; comes now and then. */
    void onTraining(TrainingProgress progress);

    void onLogged(LogEntry entry);

    void onEvaluated(Evaluation evaluation);

    void onCheckpoint(long step, byte[] file);

    void onFinished(Finished finished);

    /** The job failed; nothing follows. */
    void onFailure(Throwable error);

    /** Runs {@code action} when more can be told. */
    void whenRoom(Runnable action);
  }

  /**
   * How far the features are.
   *
   * @param itemsDone items whose features are known
   */
  public record ExtractionProgress(
      long itemsDone, long itemsReceived, long tokens, long truncatedItems) {}

  /**
   * How the job ended.
   *
   * @param trainSeconds duration of the training, without extraction
   * @param extractionSeconds duration from the first item to the last feature
   * @param audit taken again at the end
   */
  public record Finished(
      TrainingResult result,
      double trainSeconds,
      double extractionSeconds,
      long tokens,
      ParameterAudit audit) {}

  private final WorkerResources worker;
  private final TrainingSpec spec;
  private final Listener listener;
  private final Lanes.Turns turns;
  private final FeatureGathering gathering;

  /** Dropped when the run has what it needs of them; only the lane's step uses them then. */
  private Optional<byte[]> initialProjector;

  private Optional<byte[]> checkpoint;

  /** Null while features are gathered. Guarded by this. */
  private SlicedRun run;

  /** Guarded by this. */
  private boolean checkpointRequested;

  private volatile long trainStartNanos;

  /**
   * Loads the backbone, which may take a while.
   *
   * @param initialProjector starting weights, a safetensors file
   * @param checkpoint what an earlier run of the same job sent
   */
  public TrainJob(
      WorkerResources worker,
      FeatureRequest request,
      TrainingSpec spec,
      Optional<byte[]> initialProjector,
      Optional<byte[]> checkpoint,
      Listener listener) {
    if (request.pooling().equals(Optional.of(Pooling.NONE))) {
      throw GraftException.invalidArgument(
              "INVALID_SPEC", "features.pooling is NONE, but training needs one feature an item.")
          .with("field", "spec.features.pooling");
    }
    this.worker = worker;
    this.spec = spec;
    this.initialProjector = initialProjector;
    this.checkpoint = checkpoint;
    this.listener = listener;
    this.turns = worker.lanes().open();
    this.gathering = new FeatureGathering(worker, request, spec, turns, new Gathered());
    try {
      TrainingRun.checkFiles(spec, gathering.featureSize(), initialProjector, checkpoint);
    } catch (RuntimeException | Error e) { // whatever it is, nobody will close this job
      close();
      throw e;
    }
  }

  /** The specification of the features with every default filled in; empty without backbone. */
  public Optional<FeatureSpec> featureSpec() {
    return gathering.spec();
  }

  /** The shape of the projector, with the sizes that are known before there are labels. */
  public ProjectorSpec projector() {
    return spec.knownShape(gathering.featureSize());
  }

  /** What trains, as far as sizes are known, and what is frozen. */
  public ParameterAudit audit() {
    return audit(
        spec.knownParameters(gathering.featureSize()),
        gathering.info().map(BackboneInfo::digest).orElse(""));
  }

  private ParameterAudit audit(List<ParameterInfo> trainable, String digest) {
    return new ParameterAudit(
        trainable,
        gathering.info().map(BackboneInfo::tensors).orElse(0),
        gathering.info().map(BackboneInfo::parameters).orElse(0L),
        digest);
  }

  public void addTrain(TrainItem item) {
    gathering.addTrain(item);
  }

  public void addEval(TrainItem item) {
    gathering.addEval(item);
  }

  /** No more items follow: training begins when all features are known. */
  public void end() {
    gathering.end();
  }

  @Override
  public void whenReady(Runnable action) {
    gathering.whenReady(action);
  }

  /**
   * Asks for a checkpoint after the current optimizer step; before training, after the first one.
   */
  public synchronized void requestCheckpoint() {
    checkpointRequested = true;
    if (run != null) {
      run.requestCheckpoint();
    }
  }

  /** Ends the job retryably: at once, or after a checkpoint where training is under way. */
  public void drain() {
    SlicedRun training;
    synchronized (this) {
      training = run;
    }
    if (training == null) {
      listener.onFailure(SlicedRun.leaving());
    } else {
      training.drain();
    }
  }

  /** Makes a run of what was gathered; on a lane. */
  private SlicedRun prepare() {
    FeatureDataset evalData = gathering.finishEval();
    TrainingRun prepared =
        TrainingRun.prepare(
            worker.device(), spec, gathering.finishTrain(), evalData, initialProjector, checkpoint);
    initialProjector = Optional.empty();
    checkpoint = Optional.empty();
    trainStartNanos = System.nanoTime();
    synchronized (this) {
      run = new SlicedRun(prepared, turns, new Events());
      if (checkpointRequested) {
        run.requestCheckpoint();
      }
      return run;
    }
  }

  /** Proves that the backbone stayed frozen, on a thread that no other call waits for. */
  private void finish(TrainingResult result) {
    double trainSeconds = (System.nanoTime() - trainStartNanos) / 1e9;
    Thread thread = new Thread(() -> prove(result, trainSeconds), "graft-proof");
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (OutOfMemoryError e) { // no more threads
      listener.onFailure(e);
    }
  }

  private void prove(TrainingResult result, double trainSeconds) {
    Finished finished;
    try {
      String digest = gathering.backbone().map(FrozenProof::of).orElse("");
      finished =
          new Finished(
              result,
              trainSeconds,
              gathering.seconds(),
              gathering.progress().tokens(),
              audit(result.parameters(), digest));
    } catch (RuntimeException | Error e) { // whatever it is, the client must learn that it failed
      listener.onFailure(e);
      return;
    }
    listener.onFinished(finished);
  }

  @Override
  public void close() {
    SlicedRun training;
    synchronized (this) {
      training = run;
    }
    if (training != null) {
      training.stop();
    }
    turns.closeAndThen(this::release);
  }

  private void release() {
    SlicedRun training;
    synchronized (this) {
      training = run;
    }
    if (training != null) {
      training.close();
    }
    gathering.close();
  }

  private final class Gathered implements FeatureGathering.Listener {
    @Override
    public void onProgress(ExtractionProgress progress) {
      listener.onExtraction(progress);
    }

    @Override
    public void onGathered() {
      turns.submit(
          TrainJob.this::prepare,
          (prepared, error) -> {
            if (error != null) {
              listener.onFailure(error);
            } else {
              prepared.proceed();
            }
          });
    }

    @Override
    public void onFailure(Throwable error) {
      listener.onFailure(error);
    }
  }

  private final class Events implements SlicedRun.Listener {
    @Override
    public void started(TrainingStarted started) {
      listener.onStarted(started, gathering.progress());
    }

    @Override
    public void stepped(TrainingProgress progress) {
      listener.onTraining(progress);
    }

    @Override
    public void logged(LogEntry entry) {
      listener.onLogged(entry);
    }

    @Override
    public void evaluated(Evaluation evaluation) {
      listener.onEvaluated(evaluation);
    }

    @Override
    public void checkpoint(long step, byte[] file) {
      listener.onCheckpoint(step, file);
    }

    @Override
    public void finished(TrainingResult result) {
      finish(result);
    }

    @Override
    public void failed(Throwable error) {
      listener.onFailure(error);
    }

    @Override
    public void whenRoom(Runnable action) {
      listener.whenRoom(action);
    }
  }
}

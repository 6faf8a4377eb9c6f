package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.FeatureStream;
import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.extraction.Pooling;
import dev.graft.server.torch.Lanes;
import dev.graft.server.training.Evaluation;
import dev.graft.server.training.FeatureCollector;
import dev.graft.server.training.FeatureDataset;
import dev.graft.server.training.LogEntry;
import dev.graft.server.training.Objective;
import dev.graft.server.training.ParameterInfo;
import dev.graft.server.training.TrainingListener;
import dev.graft.server.training.TrainingResult;
import dev.graft.server.training.TrainingRun;
import dev.graft.server.training.TrainingSpec;
import dev.graft.server.training.TrainingStarted;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Trains a projector on the features of items, which are computed once, while items still arrive.
 */
public final class TrainJob implements AutoCloseable {
  /** How long a run keeps its lane before others have their turn. */
  private static final long SLICE_NANOS = 5_000_000;

  /** How often progress is told, at most. */
  private static final long PROGRESS_NANOS = 250_000_000;

  /** What happens in the job. */
  public interface Listener {
    void onExtraction(ExtractionProgress progress);

    void onStarted(TrainingStarted started, ExtractionProgress progress);

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

  private record Target(FeatureCollector collector, long number, boolean pair) {}

  private final WorkerResources worker;
  private final TrainingSpec spec;
  private final Optional<byte[]> initialProjector;
  private final Optional<byte[]> checkpoint;
  private final Listener listener;
  private final Optional<BackboneStore.Lease> lease;
  private final Lanes.Turns turns;
  private final Featurizer featurizer;
  private final ContentDigest contentDigest;
  private final FeatureCollector train;
  private final FeatureCollector eval;

  /** Where the features under way belong, by slot. */
  private final Map<Long, Target> targets = new ConcurrentHashMap<>();

  private long nextSlot;
  private final AtomicLong itemsReceived = new AtomicLong();
  private volatile long firstItemNanos;

  private final AtomicLong itemsDone = new AtomicLong();
  private final AtomicLong tokens = new AtomicLong();
  private final AtomicLong truncatedItems = new AtomicLong();
  private final AtomicLong nextProgressNanos = new AtomicLong(System.nanoTime());

  /** Guarded by this; likewise the rest. */
  private TrainingRun run;

  private double extractionSeconds;
  private long trainStartNanos;
  private boolean checkpointRequested;
  private boolean draining;

  /** Not guarded: a slice ends early when it sees it. */
  private volatile boolean closed;

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
    this.train = collector();
    this.eval = collector();
    this.turns = worker.lanes().open();
    this.lease = request.backbone().map(worker.backbones()::acquire);
    try {
      this.featurizer =
          new Featurizer(
              worker, request, lease.map(BackboneStore.Lease::backbone), turns, new Features());
    } catch (RuntimeException e) {
      close();
      throw e;
    }
    this.contentDigest =
        new ContentDigest(info().map(BackboneInfo::digest).orElse("") + featurizer.spec());
  }

  private FeatureCollector collector() {
    return new FeatureCollector(
        spec.objective(), spec.projector().outputSize(), worker.maxTrainFeatureBytes());
  }

  private Optional<BackboneInfo> info() {
    return lease.map(held -> held.backbone().backbone().info());
  }

  /** The specification of the features with every default filled in; empty without backbone. */
  public Optional<FeatureSpec> featureSpec() {
    return featurizer.spec();
  }

  /** What trains, as far as sizes are known, and what is frozen. */
  public ParameterAudit audit() {
    boolean sizeFollowsFromLabels =
        spec.projector().outputSize() == 0
            && (spec.objective() instanceof Objective.MeanSquaredError
                || spec.objective() instanceof Objective.CosineEmbedding);
    boolean known = featurizer.featureSize() > 0 && !sizeFollowsFromLabels;
    return audit(
        known
            ? spec.resolved(featurizer.featureSize(), 0).parameters(featurizer.featureSize())
            : List.of(),
        info().map(BackboneInfo::digest).orElse(""));
  }

  private ParameterAudit audit(List<ParameterInfo> trainable, String digest) {
    return new ParameterAudit(
        trainable,
        info().map(BackboneInfo::tensors).orElse(0),
        info().map(BackboneInfo::parameters).orElse(0L),
        digest);
  }

  public void addTrain(TrainItem item) {
    add(train, item);
  }

  public void addEval(TrainItem item) {
    add(eval, item);
  }

  private void add(FeatureCollector collector, TrainItem item) {
    if (itemsReceived.get() == 0) {
      firstItemNanos = System.nanoTime();
    }
    collector.add(
        new dev.graft.server.training.TrainingItem(
            item.number(), item.label(), item.pair().isPresent(), contentDigest.of(item)));
    itemsReceived.incrementAndGet();
    add(new Target(collector, item.number(), false), item.content());
    item.pair().ifPresent(pair -> add(new Target(collector, item.number(), true), pair));
  }

  private void add(Target target, Content content) {
    long slot = nextSlot++;
    targets.put(slot, target);
    featurizer.add(slot, target.number(), content);
  }

  /** No more items follow: training begins when all features are known. */
  public void end() {
    featurizer.end();
  }

  /** Runs {@code action} when more items should be added. */
  public void whenReady(Runnable action) {
    featurizer.whenReady(action);
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
    synchronized (this) {
      if (run != null) {
        draining = true;
        run.requestCheckpoint();
        return;
      }
    }
    listener.onFailure(leaving());
  }

  private static GraftException leaving() {
    return GraftException.of(
        GraftException.Category.UNAVAILABLE,
        "WORKER_DRAINING",
        "This worker is going away. Resume from the last checkpoint on another one.");
  }

  private ExtractionProgress progress() {
    return new ExtractionProgress(
        itemsDone.get(), itemsReceived.get(), tokens.get(), truncatedItems.get());
  }

  private void prepare() {
    extractionSeconds = itemsReceived.get() == 0 ? 0 : (System.nanoTime() - firstItemNanos) / 1e9;
    listener.onExtraction(progress());
    FeatureDataset evalData = eval.items() == 0 ? FeatureDataset.empty() : eval.finish();
    TrainingRun prepared =
        TrainingRun.prepare(
            worker.device(), spec, train.finish(), evalData, initialProjector, checkpoint);
    synchronized (this) {
      run = prepared;
      trainStartNanos = System.nanoTime();
      if (checkpointRequested) {
        run.requestCheckpoint();
      }
    }
  }

  private void submitSlice() {
    turns.submit(
        this::slice,
        (more, error) -> {
          if (error != null) {
            listener.onFailure(error);
          } else if (more) {
            listener.whenRoom(this::submitSlice);
          }
        });
  }

  /**
   * Some steps; ends early after a checkpoint, which may be large. Tells whether there is more to
   * do.
   */
  private synchronized boolean slice() {
    long end = System.nanoTime() + SLICE_NANOS;
    Events events = new Events();
    boolean more = true;
    while (more && !closed && !events.checkpointed && System.nanoTime() < end) {
      more = run.step(events);
    }
    if (more && draining) {
      if (!events.checkpointed) {
        run.requestCheckpoint();
        more = run.step(events);
      }
      if (more) {
        throw leaving();
      }
    }
    if (events.result != null) {
      finish(events.result);
    }
    return more;
  }

  private void finish(TrainingResult result) {
    double trainSeconds = (System.nanoTime() - trainStartNanos) / 1e9;
    String before = info().map(BackboneInfo::digest).orElse("");
    String after = lease.map(held -> held.backbone().checkpoint().digest()).orElse("");
    if (!after.equals(before)) {
      throw GraftException.of(
              GraftException.Category.DATA_LOSS,
              "BACKBONE_CHANGED",
              "The backbone's files changed while the projector trained: their digest was "
                  + before
                  + " and is "
                  + after
                  + " now. The projector is not sent; train it again.")
          .with("digest_before", before)
          .with("digest_after", after);
    }
    listener.onFinished(
        new Finished(
            result,
            trainSeconds,
            extractionSeconds,
            tokens.get(),
            audit(result.parameters(), after)));
  }

  /** Stops what is under way, and frees everything as soon as no lane works with it. */
  @Override
  public void close() {
    closed = true;
    turns.closeAndThen(this::release);
  }

  private void release() {
    synchronized (this) {
      if (run != null) {
        run.close();
        run = null;
      }
    }
    lease.ifPresent(BackboneStore.Lease::close);
  }

  private final class Features implements FeatureStream.Listener {
    @Override
    public void onFeatures(List<ItemFeatures> features) {
      for (ItemFeatures item : features) {
        Target target = targets.remove(item.slot());
        if (target.pair()) {
          target.collector().putPair(target.number(), item.values());
        } else {
          target.collector().put(target.number(), item.values());
          itemsDone.incrementAndGet();
        }
        tokens.addAndGet(item.tokens());
        truncatedItems.addAndGet(item.truncatedTokens() > 0 ? 1 : 0);
      }
      long now = System.nanoTime();
      long next = nextProgressNanos.get();
      if (now - next >= 0 && nextProgressNanos.compareAndSet(next, now + PROGRESS_NANOS)) {
        listener.onExtraction(progress());
      }
    }

    @Override
    public void onEnd() {
      turns.submit(
          () -> {
            prepare();
            return true;
          },
          (done, error) -> {
            if (error != null) {
              listener.onFailure(error);
            } else {
              submitSlice();
            }
          });
    }

    @Override
    public void onError(Throwable error) {
      listener.onFailure(error);
    }
  }

  private final class Events implements TrainingListener {
    private boolean checkpointed;
    private TrainingResult result;

    @Override
    public void started(TrainingStarted started) {
      listener.onStarted(started, progress());
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
      checkpointed = true;
      listener.onCheckpoint(step, file);
    }

    @Override
    public void finished(TrainingResult finished) {
      result = finished;
    }
  }
}

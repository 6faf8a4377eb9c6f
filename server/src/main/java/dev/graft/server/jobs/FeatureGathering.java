package dev.graft.server.jobs;

import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.FeatureStream;
import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.torch.Lanes;
import dev.graft.server.training.FeatureBudget;
import dev.graft.server.training.FeatureCollector;
import dev.graft.server.training.FeatureDataset;
import dev.graft.server.training.TrainingItem;
import dev.graft.server.training.TrainingSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** The first half of a training: items arrive, and their features are computed and kept. */
final class FeatureGathering implements AutoCloseable {
  /** How often progress is told, at most. */
  private static final long PROGRESS_NANOS = 250_000_000;

  /** What happens. */
  interface Listener {
    void onProgress(TrainJob.ExtractionProgress progress);

    /** All features are known. */
    void onGathered();

    /** It failed; nothing follows. */
    void onFailure(Throwable error);
  }

  private record Target(Items items, long number, boolean pair) {}

  /** The items of one kind, which stand in one field of the requests. */
  private record Items(String name, FeatureCollector collector) {}

  private final Lanes.Turns turns;
  private final Listener listener;
  private final FeatureBudget budget;
  private final Items train;
  private final Items eval;
  private final Featurizer featurizer;
  private final ContentDigest contentDigest;

  /** Where the features under way belong, by slot. */
  private final Map<Long, Target> targets = new ConcurrentHashMap<>();

  private long nextSlot;
  private volatile long firstItemNanos;
  private volatile double seconds;

  private final AtomicLong itemsReceived = new AtomicLong();
  private final AtomicLong itemsDone = new AtomicLong();
  private final AtomicLong tokens = new AtomicLong();
  private final AtomicLong truncatedItems = new AtomicLong();
  private final AtomicLong nextProgressNanos = new AtomicLong(System.nanoTime());

  /** Loads the backbone, which may take a while. */
  FeatureGathering(
      WorkerResources worker,
      FeatureRequest request,
      TrainingSpec spec,
      Lanes.Turns turns,
      Listener listener) {
    this.turns = turns;
    this.listener = listener;
    this.budget = worker.featureMemory().open();
    this.train = items("train_items", spec, budget);
    this.eval = items("eval_items", spec, budget);
    this.featurizer = new Featurizer(worker, request, turns, new Features());
    try {
      this.contentDigest = ContentDigest.of(worker, featurizer);
    } catch (RuntimeException | Error e) { // whatever it is, nobody will close this
      featurizer.close();
      throw e;
    }
  }

  private static Items items(String name, TrainingSpec spec, FeatureBudget budget) {
    return new Items(
        name, new FeatureCollector(name, spec.objective(), spec.projector().outputSize(), budget));
  }

  /** The backbone in use; empty without one. */
  Optional<LoadedBackbone> backbone() {
    return featurizer.backbone();
  }

  /** What is known of the backbone; empty without one. */
  Optional<BackboneInfo> info() {
    return featurizer.info();
  }

  /** The specification with every default filled in; empty without backbone. */
  Optional<FeatureSpec> spec() {
    return featurizer.spec();
  }

  /** Values of a feature; 0 while that is not known. */
  int featureSize() {
    return featurizer.featureSize();
  }

  void addTrain(TrainItem item) {
    turns.hold(() -> add(train, item));
  }

  void addEval(TrainItem item) {
    turns.hold(() -> add(eval, item));
  }

  private void add(Items items, TrainItem item) {
    if (itemsReceived.get() == 0) {
      firstItemNanos = System.nanoTime();
    }
    items
        .collector()
        .add(
            new TrainingItem(
                item.number(), item.label(), item.pair().isPresent(), contentDigest.of(item)));
    itemsReceived.incrementAndGet();
    add(
        new Target(items, item.number(), false),
        ItemPlace.content(items.name(), item.number()),
        item.content());
    item.pair()
        .ifPresent(
            pair ->
                add(
                    new Target(items, item.number(), true),
                    ItemPlace.pair(items.name(), item.number()),
                    pair));
  }

  private void add(Target target, ItemPlace place, Content content) {
    long slot = nextSlot++;
    targets.put(slot, target);
    featurizer.add(slot, place, content);
  }

  /** No more items follow. */
  void end() {
    turns.hold(featurizer::end);
  }

  /** Runs {@code action} when more items should be added. */
  void whenReady(Runnable action) {
    featurizer.whenReady(action);
  }

  TrainJob.ExtractionProgress progress() {
    return new TrainJob.ExtractionProgress(
        itemsDone.get(), itemsReceived.get(), tokens.get(), truncatedItems.get());
  }

  /** Duration from the first item to the last feature. */
  double seconds() {
    return seconds;
  }

  /** The training items with their features, which are handed over. */
  FeatureDataset finishTrain() {
    return train.collector().finish();
  }

  /** Likewise the evaluation items. */
  FeatureDataset finishEval() {
    FeatureCollector collector = eval.collector();
    return collector.items() == 0 ? FeatureDataset.empty() : collector.finish();
  }

  /** Gives the backbone and the features' memory back; nothing may be under way. */
  @Override
  public void close() {
    featurizer.close();
    budget.close();
  }

  private final class Features implements FeatureStream.Listener {
    @Override
    public void onFeatures(List<ItemFeatures> features) {
      for (ItemFeatures item : features) {
        Target target = targets.remove(item.slot());
        FeatureCollector collector = target.items().collector();
        if (target.pair()) {
          collector.putPair(target.number(), item.values());
        } else {
          collector.put(target.number(), item.values());
          itemsDone.incrementAndGet();
        }
        tokens.addAndGet(item.tokens());
        truncatedItems.addAndGet(item.truncatedTokens() > 0 ? 1 : 0);
      }
      long now = System.nanoTime();
      long next = nextProgressNanos.get();
      if (now - next >= 0 && nextProgressNanos.compareAndSet(next, now + PROGRESS_NANOS)) {
        listener.onProgress(progress());
      }
    }

    @Override
    public void onEnd() {
      seconds = itemsReceived.get() == 0 ? 0 : (System.nanoTime() - firstItemNanos) / 1e9;
      listener.onProgress(progress());
      listener.onGathered();
    }

    @Override
    public void onError(Throwable error) {
      listener.onFailure(error);
    }
  }
}

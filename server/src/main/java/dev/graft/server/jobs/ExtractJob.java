package dev.graft.server.jobs;

import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.FeatureStream;
import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.torch.Lanes;
import java.util.List;
import java.util.Optional;

/** Computes features of items, and predictions where there is a projector. */
public final class ExtractJob implements Job {
  /** The request's field with the items. */
  static final String ITEMS = "items";

  /** What happens with the results. */
  public interface Listener {
    /** Some items are done. Comes on several lanes' threads at the same time. */
    void onResults(List<Result> results);

    /** All items are done. */
    void onEnd();

    /** The job failed; nothing follows, except for what other lanes are at. */
    void onFailure(Throwable error);

    /** Runs {@code action} when there is room for more results: at once, or later. */
    default void whenRoom(Runnable action) {
      action.run();
    }
  }

  /**
   * The result of one item.
   *
   * @param features {@code [rows, size]}, row-major
   * @param prediction null without projector
   */
  public record Result(
      long number, float[] features, int tokens, int truncatedTokens, Prediction prediction) {}

  private final Lanes.Turns turns;
  private final Featurizer featurizer;
  private final Optional<Predictor> predictor;

  private final ReadyFeatures ready;

  /**
   * Loads the backbone, which may take a while.
   *
   * @param predictor whose projector the job closes
   */
  public ExtractJob(
      WorkerResources worker,
      FeatureRequest request,
      Optional<Predictor> predictor,
      Listener listener) {
    this.predictor = predictor;
    this.turns = worker.lanes().open();
    Results results = new Results(listener);
    this.ready = new ReadyFeatures(turns, results::handOver, listener::onFailure);
    try {
      this.featurizer = new Featurizer(worker, request, turns, results);
    } catch (RuntimeException | Error e) { // whatever it is, nobody will close this job
      turns.closeAndThen(this::closeProjector);
      throw e;
    }
  }

  /** The specification with every default filled in; empty without backbone. */
  public Optional<FeatureSpec> spec() {
    return featurizer.spec();
  }

  /** Values of a feature; 0 while that is not known, without backbone. */
  public int featureSize() {
    return featurizer.featureSize();
  }

  /** Digest of the backbone; empty without one. */
  public Optional<String> backboneDigest() {
    return featurizer.info().map(BackboneInfo::digest);
  }

  public void add(long number, Content content) {
    turns.hold(() -> featurizer.add(number, ItemPlace.content(ITEMS, number), content));
  }

  /** Computes what was added without waiting for more. */
  public void flush() {
    turns.hold(
        () -> {
          ready.submit();
          featurizer.flush();
        });
  }

  /** No more items follow. */
  public void end() {
    turns.hold(
        () -> {
          ready.submit();
          ready.whenDone(featurizer::end);
        });
  }

  /**
   * Runs {@code action} when more items should be added. Features that came ready are computed with
   * as a whole from one call of this to the next.
   */
  @Override
  public void whenReady(Runnable action) {
    ready.submit();
    ready.whenReady(() -> featurizer.whenReady(action));
  }

  /**
   * Stops what is under way, and lets backbone and projector go as soon as nobody works with them.
   */
  @Override
  public void close() {
    turns.closeAndThen(
        () -> {
          featurizer.close();
          closeProjector();
        });
  }

  private void closeProjector() {
    predictor.ifPresent(known -> known.projector().close());
  }

  /** Predicts and hands over, as part of a lane's step: what it uses is there until then. */
  private final class Results implements FeatureStream.Listener {
    private final Listener listener;

    Results(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void onFeatures(List<ItemFeatures> features) {
      if (features.get(0).tokens() == 0) {
        features.forEach(ready::add);
      } else {
        handOver(features);
      }
    }

    void handOver(List<ItemFeatures> features) {
      listener.onResults(results(features));
    }

    private List<Result> results(List<ItemFeatures> features) {
      Optional<List<Prediction>> predictions =
          predictor.map(projector -> projector.predict(features));
      Result[] results = new Result[features.size()];
      for (int i = 0; i < results.length; i++) {
        ItemFeatures item = features.get(i);
        results[i] =
            new Result(
                item.slot(),
                item.values(),
                item.tokens(),
                item.truncatedTokens(),
                predictions.isPresent() ? predictions.get().get(i) : null);
      }
      return List.of(results);
    }

    @Override
    public void onEnd() {
      listener.onEnd();
    }

    @Override
    public void onError(Throwable error) {
      listener.onFailure(error);
    }

    @Override
    public void whenRoom(Runnable action) {
      listener.whenRoom(action);
    }
  }
}

package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.client.ExtractJob;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.PooledTraining;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.client.pool.WorkerState;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import dev.graft.v1.Objective;
import dev.graft.v1.Pooling;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainSpec;
import dev.graft.v1.TrainingArguments;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * An extraction and a training for a farm, with what they came to while nobody disturbed them.
 *
 * @param results of the extraction, in the order of the items
 * @param projector of the training
 */
record FarmJobs(List<ItemResult> results, ByteString projector) {
  /** Of all tokens, so that messages are large. */
  private static final ExtractJob EXTRACTION =
      ExtractJob.of(
          ExtractSpec.newBuilder().setFeatures(TinyModel.features(Pooling.POOLING_NONE)).build());

  private static final List<Item> ITEMS = TinyModel.labelled(2_000, 1);

  private static final TrainJob TRAINING =
      TrainJob.of(
              TrainSpec.newBuilder()
                  .setFeatures(TinyModel.features(Pooling.POOLING_MEAN))
                  .setProjector(
                      Projector.newBuilder()
                          .setKind(ProjectorKind.PROJECTOR_KIND_MLP)
                          .addHiddenSizes(1024)
                          .setDropout(0.1f))
                  .setObjective(
                      Objective.newBuilder()
                          .setCrossEntropy(CrossEntropy.newBuilder().setNumClasses(3)))
                  .setArguments(
                      TrainingArguments.newBuilder()
                          .setMaxSteps(300)
                          .setLoggingSteps(1)
                          .setSaveSteps(50))
                  .build(),
              TinyModel.labelled(300, 2))
          .withEvalItems(TinyModel.labelled(60, 3));

  static PoolOptions options() {
    return new PoolOptions()
        .shards(1024, 64)
        .stallTimeout(Duration.ofSeconds(2))
        .firstMessageTimeout(Duration.ofSeconds(4));
  }

  /** A pool in which all workers are up: else one to be struck might have no part in the job. */
  static WorkerPool connect(List<String> workers, PoolOptions options) {
    WorkerPool pool = WorkerPool.connect(String.join(",", workers), options);
    while (pool.workers().stream().filter(worker -> worker.description().isPresent()).count()
        < workers.size()) {
      Thread.onSpinWait();
    }
    return pool;
  }

  /** The name of the worker that has the pool's only call, its training. */
  static String theOneThatTrains(WorkerPool pool) {
    List<String> busy =
        pool.workers().stream()
            .filter(worker -> worker.outstandingTokens() > 0)
            .map(WorkerState::worker)
            .toList();
    assertThat(busy).hasSize(1);
    return busy.get(0);
  }

  /** Of a pool that is left in peace. */
  static FarmJobs on(WorkerPool pool) {
    return new FarmJobs(extract(pool, count -> {}), train(pool, event -> {}));
  }

  /**
   * Extracts; fails unless each result is the undisturbed one, each once and in order.
   *
   * @param watch hears after each result how many there are
   */
  void extractAgain(WorkerPool pool, IntConsumer watch) {
    List<ItemResult> again = extract(pool, watch);
    assertThat(again.stream().map(ItemResult::getNumber))
        .isEqualTo(ITEMS.stream().map(Item::getNumber).toList());
    for (int i = 0; i < again.size(); i++) { // one comparison of all would print all
      assertThat(again.get(i).equals(results.get(i))).as("equality of result %d", i).isTrue();
    }
  }

  /** Trains; fails unless the projector is the undisturbed one. */
  void trainAgain(WorkerPool pool, Consumer<TrainEvent> watch) {
    assertThat(train(pool, watch).equals(projector)).as("equality of the projector").isTrue();
  }

  private static List<ItemResult> extract(WorkerPool pool, IntConsumer watch) {
    List<ItemResult> results = new ArrayList<>();
    try (PooledExtract extract = pool.extract(EXTRACTION, ITEMS, ResultOrder.OF_ITEMS)) {
      while (extract.hasNext()) {
        results.add(extract.next());
        watch.accept(results.size());
      }
    }
    return results;
  }

  private static ByteString train(WorkerPool pool, Consumer<TrainEvent> watch) {
    try (PooledTraining training = pool.train(TRAINING)) {
      TrainEvent last = null;
      long step = 0;
      while (training.hasNext()) {
        last = training.next();
        watch.accept(last);
        if (last instanceof TrainEvent.Log logged) {
          assertThat(logged.entry().getStep()).as("a step, told of once").isEqualTo(++step);
        }
      }
      return ((TrainEvent.Completed) last).projectorFile();
    }
  }
}

package dev.graft.cli;

import dev.graft.cli.progress.FarmView;
import dev.graft.cli.progress.Progress;
import dev.graft.cli.progress.WorkersView;
import dev.graft.client.ExtractJob;
import dev.graft.client.TrainEvent;
import dev.graft.client.TrainJob;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import java.util.Iterator;
import java.util.Optional;
import java.util.function.Supplier;

/** Where a command's jobs run: a worker of its own, or a farm. */
interface Workers extends AutoCloseable {
  /**
   * A running Extract job; closing it, from any thread, cancels it unless it is over.
   *
   * @param ready waits for what the spec came to
   * @param results one for each item, or several with {@code POOLING_NONE}
   */
  record Extraction(Supplier<ExtractReady> ready, Iterator<ItemResult> results, Runnable cancel)
      implements AutoCloseable {
    @Override
    public void close() {
      cancel.run();
    }
  }

  /**
   * A running training; closing it, from any thread, cancels it unless it is over.
   *
   * @param features what the spec of the features came to, once it is known, if they are computed
   *     apart from the training
   */
  record Training(
      Iterator<TrainEvent> events, Supplier<Optional<ExtractReady>> features, Runnable cancel)
      implements AutoCloseable {
    @Override
    public void close() {
      cancel.run();
    }
  }

  /** Starts to compute features or predictions of items. */
  Extraction extract(ExtractJob job, Iterable<Item> items);

  /** Starts a training. */
  Training train(TrainJob job);

  /** Version of the workers, or of one of them. */
  String version();

  /** Shows what happens to the workers along with a job's progress. */
  WorkersView show(Progress progress, FarmView.Job job);

  @Override
  void close();
}

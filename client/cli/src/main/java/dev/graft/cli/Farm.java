package dev.graft.cli;

import dev.graft.cli.progress.FarmView;
import dev.graft.cli.progress.Progress;
import dev.graft.cli.progress.WorkersView;
import dev.graft.client.ExtractJob;
import dev.graft.client.TrainJob;
import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.PooledTraining;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.client.pool.WorkerState;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Item;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The workers that {@code --workers} names. Any of them may vanish; the job goes on. */
final class Farm implements Workers {
  private static final Duration ROLL_PATIENCE = Duration.ofSeconds(5);

  private final WorkerPool pool;
  private final InstantSource clock;

  private Farm(WorkerPool pool, InstantSource clock) {
    this.pool = pool;
    this.clock = clock;
  }

  static Farm connect(String targets, PoolOptions options, InstantSource clock) {
    return new Farm(WorkerPool.connect(targets, options), clock);
  }

  /** All workers that targets stand for, as soon as each is up, or after a while those that are. */
  static List<WorkerState> roll(String targets) {
    try (WorkerPool pool = WorkerPool.connect(targets)) {
      long end = System.nanoTime() + ROLL_PATIENCE.toNanos();
      while (true) {
        List<WorkerState> workers = pool.workers();
        boolean all =
            !workers.isEmpty()
                && workers.stream().allMatch(state -> state.description().isPresent());
        if (all || System.nanoTime() - end > 0) {
          return workers.stream().sorted(Comparator.comparing(WorkerState::worker)).toList();
        }
        TimeUnit.MILLISECONDS.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }

  @Override
  public Extraction extract(ExtractJob job, Iterable<Item> items) {
    PooledExtract extract = pool.extract(job, items, ResultOrder.OF_ITEMS);
    return new Extraction(extract::ready, extract, extract::close);
  }

  @Override
  public Training train(TrainJob job) {
    PooledTraining training = pool.train(job);
    return new Training(training, training::extraction, training::close);
  }

  @Override
  public String version() {
    return pool.workers().stream()
        .flatMap(worker -> worker.description().stream())
        .map(DescribeWorkerResponse::getVersion)
        .findFirst()
        .orElse("");
  }

  @Override
  public WorkersView show(Progress progress, FarmView.Job job) {
    return FarmView.of(pool, progress, clock, job);
  }

  @Override
  public void close() {
    pool.close();
  }
}

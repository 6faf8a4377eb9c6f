package dev.graft.cli.progress;

import dev.graft.client.TrainEvent;
import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.WorkerKind;
import dev.graft.client.pool.WorkerPool;
import dev.graft.client.pool.WorkerState;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * What happens to the workers of a farm: lines that stay where one is lost or back, and on a
 * terminal a line for each worker under the bar. Events come on one thread at a time.
 */
public final class FarmView implements WorkersView, Flow.Subscriber<PoolEvent> {
  private static final long LONGEST_WAIT_MILLIS = 1_000;

  /**
   * What the workers are at.
   *
   * @param items how many there are
   * @param trains whether they are trained on when they are all computed
   */
  public record Job(long items, boolean trains) {
    /** Features or predictions of items. */
    public static Job extraction(long items) {
      return new Job(items, false);
    }

    /** A training on items. */
    public static Job training(long items) {
      return new Job(items, true);
    }
  }

  private final Progress progress;
  private final InstantSource clock;
  private final WorkerTallies tallies = new WorkerTallies();
  private final Map<String, Integer> retries = new TreeMap<>();
  private final CountDownLatch jobEnded = new CountDownLatch(1);
  private final Supplier<List<WorkerState>> workers;
  private final Job job;
  private Optional<Flow.Subscription> subscription = Optional.empty(); // comes on another thread
  private boolean saidThatItWaits;
  private boolean closed;

  /**
   * Made before the events are subscribed to.
   *
   * @param workers all that are known now
   */
  FarmView(Progress progress, InstantSource clock, Supplier<List<WorkerState>> workers, Job job) {
    this.progress = progress;
    this.clock = clock;
    this.workers = workers;
    this.job = job;
  }

  /** Shows what happens in a pool from now on. */
  public static FarmView of(WorkerPool pool, Progress progress, InstantSource clock, Job job) {
    FarmView view = new FarmView(progress, clock, pool::workers, job);
    pool.events().subscribe(view);
    view.look();
    return view;
  }

  /** Those that were there before, or never were, have no event. */
  private synchronized void look() {
    workers.get().forEach(tallies::known);
  }

  @Override
  public synchronized void onSubscribe(Flow.Subscription newSubscription) {
    subscription = Optional.of(newSubscription);
    if (closed) {
      newSubscription.cancel();
    } else {
      newSubscription.request(Long.MAX_VALUE);
    }
  }

  @Override
  public synchronized void onNext(PoolEvent event) {
    if (!closed) {
      take(event);
    }
  }

  private void take(PoolEvent event) {
    if (event instanceof PoolEvent.WorkerUp up) {
      up(up.worker());
    } else if (event instanceof PoolEvent.WorkerMissing missing) {
      missing(missing.worker(), missing.why());
    } else if (event instanceof PoolEvent.WorkerDown down) {
      down(down.worker(), down.why());
    } else if (event instanceof PoolEvent.MixedKinds mixed) {
      say("warning: " + describe(mixed.workers()));
    } else if (event instanceof PoolEvent.ShardStarted started) {
      tallies.started(started, clock.instant());
    } else if (event instanceof PoolEvent.ShardDone done) {
      tallies.done(done, clock.instant());
    } else if (event instanceof PoolEvent.ShardRetried retried) {
      tallies.failed(retried);
      retries.merge(retried.worker() + " (" + retried.why() + ")", 1, Integer::sum);
    } else if (event instanceof PoolEvent.Throughput throughput) {
      tick(throughput);
    } else if (event instanceof PoolEvent.Training training) {
      training(training);
    } else if (event instanceof PoolEvent.TrainingMoved moved) {
      tallies.nobodyTrains();
      say(
          "the training at %s was lost (%s); it goes on elsewhere %s"
              .formatted(
                  moved.lost(),
                  moved.why(),
                  moved.step() == 0
                      ? "from the beginning"
                      : "from the checkpoint of step " + moved.step()));
    }
  }

  private void up(String worker) {
    if (tallies.isLost(worker)) {
      say("worker " + worker + " is back");
    } else if (saidThatItWaits) {
      say("worker " + worker + " is there");
    }
    tallies.up(worker);
    saidThatItWaits = false;
    show();
  }

  private void missing(String worker, String why) {
    say("worker " + worker + " is not there: " + why);
    if (!worker.contains("://")) { // else it is the name of several
      tallies.missing(worker, why);
    }
    show();
  }

  private void down(String worker, String why) {
    tallies.down(worker, why);
    say("worker " + worker + " is lost: " + why);
    sayIfNobodyIsThere();
    show();
  }

  /** Comes once a second, also while nothing moves. */
  private void tick(PoolEvent.Throughput throughput) {
    sayRetries();
    sayIfNobodyIsThere();
    show();
    if (job.trains()) { // whoever extracts sees the results themselves
      progress.update(
          "extracting",
          "items",
          throughput.items(),
          Math.max(job.items(), throughput.items()),
          String.format(Locale.ROOT, "%,.0f tokens/s", throughput.tokensPerSecond()));
    } else if (throughput.items() >= job.items()) {
      jobEnded.countDown();
    }
  }

  private void sayIfNobodyIsThere() {
    if (!tallies.anyUp() && !saidThatItWaits) {
      look();
      say(
          "no worker is there; waiting for %s, no longer than --patience says"
              .formatted(String.join(", ", tallies.downs())));
      saidThatItWaits = true;
    }
  }

  private void sayRetries() {
    retries.forEach(
        (where, count) ->
            say(
                "%d %s at %s, tried again"
                    .formatted(count, count == 1 ? "shard failed" : "shards failed", where)));
    retries.clear();
  }

  private void training(PoolEvent.Training training) {
    if (!(training.event() instanceof TrainEvent.Ready) && tallies.trains(training.worker())) {
      show(); // a worker that says what the spec comes to does not train yet
    }
    if (training.event() instanceof TrainEvent.Completed) {
      jobEnded.countDown();
    }
  }

  /** Reasons come from elsewhere, and are shown as one line. */
  private void say(String line) {
    progress.message(line.replaceAll("\\p{Cntrl}+", " "));
  }

  private void show() {
    progress.below(tallies.lines(clock.instant()));
  }

  private static String describe(Map<WorkerKind, List<String>> kinds) {
    return kinds.entrySet().stream()
        .map(kind -> String.join(", ", kind.getValue()) + " (" + describe(kind.getKey()) + ")")
        .sorted()
        .collect(
            Collectors.joining(
                "; ", "workers are of several kinds, the last bits of features may differ: ", ""));
  }

  private static String describe(WorkerKind kind) {
    return "graft %s, %s, %s by default, kernels %s, %d tokens a batch"
        .formatted(
            kind.version(),
            kind.device(),
            name(kind.computeDtype().name()),
            kind.kernels().stream().map(FarmView::name).toList(),
            kind.tokensPerBatch());
  }

  private static String name(String constant) {
    return constant.replace("COMPUTE_DTYPE_", "").toLowerCase(Locale.ROOT);
  }

  @Override
  public void onError(Throwable thrown) {
    jobEnded.countDown();
  }

  @Override
  public void onComplete() {
    jobEnded.countDown();
  }

  @Override
  public void awaitEndOfJob() {
    try {
      // Events come a little later than what they tell of. A slow view may have missed the last.
      jobEnded.await(LONGEST_WAIT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    sayRetries();
    subscription.ifPresent(Flow.Subscription::cancel);
    progress.below(List.of());
  }
}

package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.ExtractResults;
import dev.graft.client.GraftRpcException;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * The coordination of one Extract job: shards wait, run at workers, are tried again and hedged, and
 * their results are delivered, each once. Never waits itself; used in the pool's synchronization
 * context only, where {@link #wake} is called whenever something may have changed, and regularly.
 */
final class ShardedExtract implements PoolJob {
  /** A shard that has taken this many times as long as its tokens should is hedged. */
  private static final double LATE = 2;

  private static final long REPORT_NANOS = Duration.ofSeconds(1).toNanos();

  /** Where results go. */
  interface Delivery {
    void ready(ExtractReady ready);

    /** So many shards may be in work or wait for the caller. Only ever grows. */
    void room(int shards);

    /** All results of a shard, in the order of its items. */
    void results(List<ItemResult> results);

    void completed();

    void failed(Throwable thrown);
  }

  /** What a job knows of the world around it. */
  record Surroundings(
      Workforce workforce,
      PoolOptions options,
      Executor loop,
      LongSupplier nanoTime,
      Consumer<Duration> wakeLater,
      Consumer<PoolEvent> events) {}

  private static final class Work {
    private final Shard shard;
    private final Retry.AsyncContext<?> retry;
    private final Set<String> avoided = new HashSet<>();
    private final List<Run> runs = new ArrayList<>();
    private long notBefore;
    private List<ItemResult> results; // null until it is done

    Work(Shard shard, Retry.AsyncContext<?> retry, long notBefore) {
      this.shard = shard;
      this.retry = retry;
      this.notBefore = notBefore;
    }
  }

  private record Run(Workforce.Place place, long since, CompletableFuture<ExtractResults> call) {}

  private final long jobNumber;
  private final ExtractJob job;
  private final ExtractJob shardJob;
  private final ResultOrder order;
  private final Surroundings surroundings;
  private final PoolOptions options;
  private final Delivery delivery;
  private final Retry retry;
  private final long begun;

  private final Deque<Work> waiting = new ArrayDeque<>();
  private final TreeMap<Long, Work> undelivered = new TreeMap<>();
  private boolean inputEnded;
  private boolean over;
  private ExtractReady ready; // null until the first shard is done
  private OptionalLong nobodySince = OptionalLong.empty();
  private long doneItems;
  private long doneTokens; // as the workers counted them
  private long doneEstimatedTokens;
  private long doneNanos; // of the calls, added up
  private long reported;

  ShardedExtract(
      long jobNumber,
      ExtractJob job,
      ResultOrder order,
      Surroundings surroundings,
      Delivery delivery) {
    this.jobNumber = jobNumber;
    this.job = job;
    this.order = order;
    this.surroundings = surroundings;
    this.options = surroundings.options();
    this.delivery = delivery;
    this.shardJob = job.withDeadline(options.callDeadline());
    this.retry = Retries.of("job-" + jobNumber, options);
    this.begun = now();
    this.reported = begun;
  }

  private long now() {
    return surroundings.nanoTime().getAsLong();
  }

  boolean isOver() {
    return over;
  }

  void admit(Shard shard) {
    if (!over) {
      Work work = new Work(shard, retry.asyncContext(), now());
      undelivered.put(shard.number(), work);
      waiting.add(work);
      wake();
    }
  }

  void inputEnded() {
    inputEnded = true;
    deliver();
  }

  /** Ends the job; calls that run are cancelled. */
  void fail(Throwable thrown) {
    if (!over) {
      over = true;
      undelivered.values().forEach(ShardedExtract::cancelRuns);
      delivery.failed(thrown);
    }
  }

  /** Ends the job, naming the items that are missing. */
  @Override
  public void giveUp(String why, Throwable causeOrNull) {
    List<Long> missing =
        undelivered.values().stream()
            .flatMap(work -> work.shard.items().stream())
            .map(Item::getNumber)
            .toList();
    fail(new IncompleteJobException(why, missing, !inputEnded, causeOrNull));
  }

  @Override
  public void wake() {
    if (over) {
      return;
    }
    int alive = surroundings.workforce().alive();
    delivery.room(2 * options.callsPerWorker() * Math.max(1, alive));
    if (isTooLate(alive)) {
      return;
    }
    start();
    hedge();
    report();
  }

  private boolean isTooLate(int alive) {
    if (alive > 0) {
      nobodySince = OptionalLong.empty();
    } else if (nobodySince.isEmpty()) {
      nobodySince = OptionalLong.of(now());
    } else if (now() - nobodySince.getAsLong() >= options.patience().toNanos()) {
      giveUp("no worker was alive for %s".formatted(options.patience()), null);
    }
    if (job.deadline().isPresent() && now() - begun >= job.deadline().get().toNanos()) {
      giveUp("the job took longer than its deadline of %s".formatted(job.deadline().get()), null);
    }
    return over;
  }

  private void start() {
    Iterator<Work> remaining = waiting.iterator();
    while (remaining.hasNext()) {
      Work work = remaining.next();
      if (work.notBefore - now() > 0) {
        continue;
      }
      Optional<Workforce.Place> place =
          surroundings.workforce().take(work.shard.tokens(), work.avoided, Set.of());
      if (place.isPresent()) {
        remaining.remove();
        run(work, place.get());
      }
    }
  }

  /** What an idle worker can do when nothing waits: the work of one that is slow. */
  private void hedge() {
    if (!waiting.isEmpty() || doneEstimatedTokens == 0) {
      return;
    }
    double nanosPerToken = (double) doneNanos / doneEstimatedTokens;
    for (Work work : undelivered.values()) {
      if (work.runs.size() == 1) {
        long taken = now() - work.runs.get(0).since();
        long due = (long) (LATE * nanosPerToken * work.shard.tokens());
        if (taken > Math.max(due, options.hedgeAfter().toNanos())) {
          surroundings
              .workforce()
              .take(work.shard.tokens(), work.avoided, workers(work))
              .ifPresent(place -> run(work, place));
        }
      }
    }
  }

  private static Set<String> workers(Work work) {
    return work.runs.stream().map(run -> run.place().worker()).collect(Collectors.toSet());
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a copy of the future that nobody waits for
  private void run(Work work, Workforce.Place place) {
    Shard shard = work.shard;
    surroundings
        .events()
        .accept(
            new PoolEvent.ShardStarted(
                jobNumber,
                shard.number(),
                place.worker(),
                shard.items().size(),
                shard.tokens(),
                !work.runs.isEmpty()));
    Run run = new Run(place, now(), open(place, shard));
    work.runs.add(run);
    run.call()
        .whenComplete(
            (results, thrown) ->
                surroundings.loop().execute(() -> ended(work, run, results, cause(thrown))));
  }

  private CompletableFuture<ExtractResults> open(Workforce.Place place, Shard shard) {
    try {
      return place.extract(shardJob, shard.items());
    } catch (RuntimeException thrown) {
      return CompletableFuture.failedFuture(thrown);
    }
  }

  private static Throwable cause(Throwable thrown) {
    return thrown instanceof CompletionException && thrown.getCause() != null
        ? thrown.getCause()
        : thrown;
  }

  private void ended(Work work, Run run, ExtractResults results, Throwable thrownOrNull) {
    if (!work.runs.remove(run)) {
      run.place().abandon(); // it was cancelled
    } else if (thrownOrNull == null) {
      run.place().leave();
      succeeded(work, run, results);
    } else {
      run.place().leave(thrownOrNull);
      failed(work, run, thrownOrNull);
    }
    wake();
  }

  private void succeeded(Work work, Run run, ExtractResults results) {
    if (over) {
      return;
    }
    if (ready == null) {
      ready = results.ready();
      delivery.ready(ready);
    } else if (!sameBackbone(ready, results.ready())) {
      giveUp(
          "worker %s computes on another backbone than the workers before it; their model roots differ"
              .formatted(run.place().worker()),
          null);
      return;
    }
    cancelRuns(work);
    work.retry.onComplete();
    work.results = results.results();
    count(work, run);
    deliver();
  }

  private static boolean sameBackbone(ExtractReady one, ExtractReady other) {
    return one.getBackboneDigest().equals(other.getBackboneDigest())
        && one.getFeatureSize() == other.getFeatureSize()
        && one.getPredictionSize() == other.getPredictionSize();
  }

  private void count(Work work, Run run) {
    Shard shard = work.shard;
    long tokens = work.results.stream().mapToLong(ItemResult::getTokens).sum();
    long took = now() - run.since();
    doneItems += shard.items().size();
    doneTokens += tokens;
    doneEstimatedTokens += shard.tokens();
    doneNanos += took;
    surroundings
        .events()
        .accept(
            new PoolEvent.ShardDone(
                jobNumber,
                shard.number(),
                run.place().worker(),
                shard.items().size(),
                tokens,
                Duration.ofNanos(took)));
  }

  private void failed(Work work, Run run, Throwable thrown) {
    if (over || !work.runs.isEmpty()) {
      return; // another worker has it still
    }
    long pauseMillis = work.retry.onError(thrown);
    if (pauseMillis < 1) {
      if (RetryTable.scope(thrown) == RetryScope.NEVER) {
        fail(thrown);
      } else {
        giveUp(
            "%d attempts failed, the last at worker %s with: %s"
                .formatted(options.mostAttempts(), run.place().worker(), thrown.getMessage()),
            thrown);
      }
      return;
    }
    if (RetryTable.scope(thrown) == RetryScope.OTHER_WORKER) {
      work.avoided.add(run.place().worker());
    }
    Duration pause = Duration.ofMillis(pauseMillis);
    work.notBefore = now() + pause.toNanos();
    waiting.addFirst(work);
    surroundings
        .events()
        .accept(
            new PoolEvent.ShardRetried(
                jobNumber, work.shard.number(), run.place().worker(), why(thrown), pause));
    surroundings.wakeLater().accept(pause);
  }

  private static String why(Throwable thrown) {
    return thrown instanceof GraftRpcException failed && !failed.reason().isEmpty()
        ? failed.reason()
        : String.valueOf(thrown.getMessage());
  }

  private static void cancelRuns(Work work) {
    List<Run> runs = List.copyOf(work.runs);
    work.runs.clear();
    runs.forEach(run -> run.call().cancel(true));
  }

  private void deliver() {
    if (over) {
      return;
    }
    Iterator<Work> oldestFirst = undelivered.values().iterator();
    while (oldestFirst.hasNext()) {
      Work work = oldestFirst.next();
      if (work.results != null) {
        oldestFirst.remove();
        delivery.results(work.results);
      } else if (order == ResultOrder.OF_ITEMS) {
        break;
      }
    }
    if (inputEnded && undelivered.isEmpty()) {
      over = true;
      report(now());
      delivery.completed();
    }
  }

  private void report() {
    long now = now();
    if (now - reported >= REPORT_NANOS) {
      report(now);
    }
  }

  private void report(long now) {
    reported = now;
    double seconds = Math.max(1, now - begun) / 1e9;
    surroundings
        .events()
        .accept(
            new PoolEvent.Throughput(
                jobNumber, doneItems, doneTokens, doneItems / seconds, doneTokens / seconds));
  }
}

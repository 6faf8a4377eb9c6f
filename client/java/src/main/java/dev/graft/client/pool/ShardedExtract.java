package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.ExtractResults;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The coordination of one Extract job: shards wait, run at workers, are tried again and hedged, and
 * their results are delivered, each once. Never waits itself; used in the pool's synchronization
 * context only.
 */
final class ShardedExtract implements PoolJob {
  /** Are read before any worker is up. */
  private static final int FEWEST_SHARDS = 4;

  private final ExtractJob job;
  private final ExtractJob shardJob;
  private final WorkerChoice choice;
  private final Surroundings surroundings;
  private final PoolOptions options;
  private final ShardDelivery delivery;
  private final Retry retry;
  private final Patience patience;
  private final ExtractPace pace;
  private final ShardEvents events;

  private final Deque<ShardWork> waiting = new ArrayDeque<>();
  private final UndeliveredShards undelivered;
  private int callsUnderWay;
  private boolean inputEnded;
  private boolean over;
  private Optional<ExtractReady> ready = Optional.empty(); // until the first shard is done

  ShardedExtract(
      long jobNumber,
      ExtractJob job,
      WorkerChoice choice,
      ResultOrder order,
      Surroundings surroundings,
      ShardDelivery delivery) {
    this.events = new ShardEvents(jobNumber, surroundings.events());
    this.job = job;
    this.choice = choice;
    this.surroundings = surroundings;
    this.options = surroundings.options();
    this.delivery = delivery;
    this.shardJob = job.withDeadline(options.callDeadline());
    this.retry = Retries.of("job-" + jobNumber, options);
    this.patience =
        new Patience(surroundings.workforce(), choice, options.patience(), surroundings.nanoTime());
    this.undelivered = new UndeliveredShards(order, delivery::results);
    this.pace = new ExtractPace(jobNumber, now());
  }

  private long now() {
    return surroundings.nanoTime().getAsLong();
  }

  void admit(Shard shard) {
    if (!over) {
      ShardWork work = new ShardWork(shard, retry.asyncContext(), now());
      undelivered.add(work);
      waiting.add(work);
      surroundings.wake().run();
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
      waiting.clear();
      undelivered.all().forEach(ShardWork::cancelRuns);
      delivery.failed(thrown);
    }
  }

  /** Ends the job, naming the items that are missing. */
  @Override
  public void giveUp(String why, Throwable causeOrNull) {
    fail(new IncompleteJobException(why, undelivered.items(), !inputEnded, causeOrNull));
  }

  @Override
  public void check() {
    if (over) {
      return;
    }
    delivery.room(Math.max(FEWEST_SHARDS, 2 * surroundings.workforce().calls()));
    if (callsUnderWay == 0) {
      if (waiting.stream().anyMatch(work -> work.isDue(now()))) {
        patience.waits().ifPresent(why -> giveUp(why, null));
      } else {
        patience.rests();
      }
    }
    job.deadline()
        .filter(deadline -> pace.nanosSinceStart(now()) >= deadline.toNanos())
        .ifPresent(
            deadline ->
                giveUp(
                    "the job took longer than its deadline of " + Durations.text(deadline), null));
    if (!over && pace.isReportDue(now())) {
      events.throughput(pace.report(now()));
    }
  }

  @Override
  public boolean isWaiting() {
    return !waiting.isEmpty();
  }

  @Override
  public int callsUnderWay() {
    return callsUnderWay;
  }

  @Override
  public boolean startCall() {
    Iterator<ShardWork> remaining = waiting.iterator();
    while (remaining.hasNext()) {
      ShardWork work = remaining.next();
      if (work.isDue(now())) {
        Optional<Workforce.Place> place =
            surroundings.workforce().take(choice, work.shard().tokens(), avoided(work), Set.of());
        if (place.isPresent()) {
          remaining.remove();
          run(work, place.get());
          return true;
        }
        if (avoided(work).isEmpty()) {
          return false; // nor is there a place for any other
        }
      }
    }
    return false;
  }

  /** Those that may have room soon are preferred, but not for ever. */
  private Set<String> avoided(ShardWork work) {
    return work.hasWaited(now(), options.longestBackoff()) ? Set.of() : work.avoided();
  }

  @Override
  public void hedge() {
    for (ShardWork work : undelivered.all()) {
      work.onlyStart()
          .map(start -> now() - start)
          .filter(taken -> taken > options.hedgeAfter().toNanos())
          .filter(taken -> pace.isLate(work.shard(), taken))
          .flatMap(
              late ->
                  surroundings
                      .workforce()
                      .take(choice, work.shard().tokens(), work.avoided(), work.workers()))
          .ifPresent(place -> run(work, place));
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a copy of the future that nobody waits for
  private void run(ShardWork work, Workforce.Place place) {
    Shard shard = work.shard();
    events.started(shard, place.worker(), work.isRunning());
    ShardWork.Run run = new ShardWork.Run(place, now(), open(place, shard));
    work.add(run);
    callsUnderWay++;
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

  private void ended(
      ShardWork work, ShardWork.Run run, ExtractResults results, Throwable thrownOrNull) {
    callsUnderWay--;
    if (!work.remove(run)) {
      run.place().abandon(); // it was cancelled
    } else if (thrownOrNull == null) {
      run.place().leave();
      succeeded(work, run, results);
    } else {
      Duration refused = run.place().leave(thrownOrNull);
      failed(work, run, thrownOrNull, refused);
    }
    surroundings.wake().run();
  }

  private void succeeded(ShardWork work, ShardWork.Run run, ExtractResults results) {
    if (over) {
      return;
    }
    patience.gotOn();
    if (ready.isEmpty()) {
      ready = Optional.of(results.ready());
      delivery.ready(results.ready());
    } else if (!sameBackbone(ready.get(), results.ready())) {
      giveUp(
          "worker %s computes on another backbone than the workers before it; their model roots differ"
              .formatted(run.place().worker()),
          null);
      return;
    }
    work.done(results.results());
    count(work, run, results.results());
    deliver();
  }

  private static boolean sameBackbone(ExtractReady one, ExtractReady other) {
    return one.getBackboneDigest().equals(other.getBackboneDigest())
        && one.getFeatureSize() == other.getFeatureSize()
        && one.getPredictionSize() == other.getPredictionSize();
  }

  private void count(ShardWork work, ShardWork.Run run, List<ItemResult> results) {
    long tokens = results.stream().mapToLong(ItemResult::getTokens).sum();
    long took = now() - run.since();
    pace.done(work.shard(), tokens, took);
    events.done(work.shard(), run.place().worker(), tokens, Duration.ofNanos(took));
  }

  private void failed(ShardWork work, ShardWork.Run run, Throwable thrown, Duration refused) {
    if (over || work.isRunning()) {
      return; // another worker has it still
    }
    if (RetryTable.isRefusal(thrown)) {
      tryAgain(work, run, thrown, refused); // patience says how often
      return;
    }
    patience.gotOn();
    long pauseMillis = work.pauseMillisAfter(thrown);
    if (pauseMillis > 0) {
      if (RetryTable.scope(thrown) == RetryScope.OTHER_WORKER) {
        work.avoid(run.place().worker());
      }
      Duration pause = Duration.ofMillis(pauseMillis);
      work.pause(now(), pause);
      tryAgain(work, run, thrown, pause);
    } else if (RetryTable.scope(thrown) == RetryScope.NEVER) {
      fail(thrown);
    } else {
      giveUp(
          "%d attempts failed, the last at worker %s with: %s"
              .formatted(options.mostAttempts(), run.place().worker(), thrown.getMessage()),
          thrown);
    }
  }

  private void tryAgain(ShardWork work, ShardWork.Run run, Throwable thrown, Duration pause) {
    waiting.addFirst(work);
    events.retried(work.shard(), run.place().worker(), thrown, pause);
    surroundings.wakeLater().accept(pause);
  }

  private void deliver() {
    if (over) {
      return;
    }
    undelivered.deliver();
    if (inputEnded && undelivered.isEmpty()) {
      over = true;
      events.throughput(pace.report(now()));
      delivery.completed();
    }
  }
}

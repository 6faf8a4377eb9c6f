package dev.graft.client.pool;

import dev.graft.client.ExtractResults;
import dev.graft.v1.ItemResult;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** A shard on its way: the calls that it has, where it failed, and its results once it is done. */
final class ShardWork {
  /**
   * A call for the shard.
   *
   * @param since its start, as the pool's clock counts
   */
  record Run(Workforce.Place place, long since, CompletableFuture<ExtractResults> call) {}

  private final Shard shard;
  private final Retry.AsyncContext<?> retry;
  private final Set<String> avoided = new HashSet<>();
  private final List<Run> runs = new ArrayList<>();
  private long notBefore;
  private Optional<List<ItemResult>> results = Optional.empty();

  ShardWork(Shard shard, Retry.AsyncContext<?> retry, long now) {
    this.shard = shard;
    this.retry = retry;
    this.notBefore = now;
  }

  Shard shard() {
    return shard;
  }

  boolean isDue(long now) {
    return now - notBefore >= 0;
  }

  /** Whether it has been due for so long. */
  boolean hasWaited(long now, Duration duration) {
    return now - notBefore >= duration.toNanos();
  }

  void pause(long now, Duration pause) {
    notBefore = now + pause.toNanos();
  }

  /** Workers where it failed by no fault of its own. */
  Set<String> avoided() {
    return avoided;
  }

  void avoid(String worker) {
    avoided.add(worker);
  }

  /** How long to wait before another attempt, in milliseconds; less than 1 if there is none. */
  long pauseMillisAfter(Throwable failure) {
    return retry.onError(failure);
  }

  void add(Run run) {
    runs.add(run);
  }

  /** Whether the call that ended was one of its own still, and not cancelled. */
  boolean remove(Run run) {
    return runs.remove(run);
  }

  boolean isRunning() {
    return !runs.isEmpty();
  }

  /** The start of its only call; empty if it has none, or two. */
  Optional<Long> onlyStart() {
    return runs.size() == 1 ? Optional.of(runs.get(0).since()) : Optional.empty();
  }

  Set<String> workers() {
    return runs.stream().map(run -> run.place().worker()).collect(Collectors.toSet());
  }

  void cancelRuns() {
    List<Run> cancelled = List.copyOf(runs);
    runs.clear();
    cancelled.forEach(run -> run.call().cancel(true));
  }

  void done(List<ItemResult> newResults) {
    cancelRuns();
    retry.onComplete();
    results = Optional.of(newResults);
  }

  /** Its results once it is done. */
  Optional<List<ItemResult>> results() {
    return results;
  }
}

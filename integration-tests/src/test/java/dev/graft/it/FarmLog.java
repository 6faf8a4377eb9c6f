package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.WorkerPool;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** What happened to a farm, and what its pool said to it. */
final class FarmLog implements Flow.Subscriber<PoolEvent> {
  private static final long PATIENCE_SECONDS = 20;

  private final long begun = System.nanoTime();
  private final Queue<String> lines = new ConcurrentLinkedQueue<>();
  private final Set<String> delivered = ConcurrentHashMap.newKeySet();
  private final Queue<PoolEvent> events = new ConcurrentLinkedQueue<>();

  static FarmLog of(WorkerPool pool) {
    FarmLog log = new FarmLog();
    pool.events().subscribe(log);
    return log;
  }

  void add(String line) {
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
    lines.add("%6d ms  %s".formatted(millis, line));
  }

  /** Waits for an event, which comes a little later than what it tells of. */
  void await(String what, Predicate<PoolEvent> wanted) {
    await(what, () -> has(wanted));
  }

  /** Waits until something is so that the events tell of, or lead to. */
  void await(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited for %s in:%n%s", what, this).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  /** Workers whose results of a shard counted. */
  Set<String> delivered() {
    return delivered;
  }

  void forgetDeliveries() {
    delivered.clear();
  }

  boolean has(Predicate<PoolEvent> wanted) {
    return events.stream().anyMatch(wanted);
  }

  @Override
  public String toString() {
    return String.join("\n", lines);
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(PoolEvent event) {
    if (event instanceof PoolEvent.ShardDone done) {
      delivered.add(done.worker());
    }
    if (isOrdinary(event)) {
      return;
    }
    events.add(event);
    add(
        event instanceof PoolEvent.WorkerUp up // its description is long
            ? "WorkerUp[" + up.worker() + "]"
            : event.toString());
  }

  private static boolean isOrdinary(PoolEvent event) {
    return (event instanceof PoolEvent.ShardStarted started && !started.hedge())
        || event instanceof PoolEvent.ShardDone
        || event instanceof PoolEvent.Throughput
        || event instanceof PoolEvent.Training;
  }

  @Override
  public void onError(Throwable thrown) {
    add("the events ended with " + thrown);
  }

  @Override
  public void onComplete() {}
}

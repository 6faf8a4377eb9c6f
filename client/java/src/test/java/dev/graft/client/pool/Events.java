package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Waits for events of a pool. */
final class Events implements Flow.Subscriber<PoolEvent> {
  private static final long PATIENCE_SECONDS = 20;

  private final BlockingQueue<PoolEvent> unseen = new LinkedBlockingQueue<>();
  private final List<PoolEvent> seen = new ArrayList<>();
  private final CountDownLatch completed = new CountDownLatch(1);

  static Events of(WorkerPool pool) {
    Events events = new Events();
    pool.events().subscribe(events);
    return events;
  }

  /** The next event of this type; those before it are passed over. */
  <E extends PoolEvent> E await(Class<E> type) throws InterruptedException {
    return await(type, event -> true);
  }

  <E extends PoolEvent> E await(Class<E> type, Predicate<? super E> wanted)
      throws InterruptedException {
    while (true) {
      PoolEvent event = unseen.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      assertThat(event).as("%s after %s", type.getSimpleName(), seen).isNotNull();
      seen.add(event);
      if (type.isInstance(event) && wanted.test(type.cast(event))) {
        return type.cast(event);
      }
    }
  }

  /** What has come and was waited for or passed over. */
  List<PoolEvent> seen() {
    return List.copyOf(seen);
  }

  /** Waits until no more come; tells all that were not waited for. */
  List<PoolEvent> awaitEnd() throws InterruptedException {
    assertThat(completed.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    return List.copyOf(unseen);
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(PoolEvent event) {
    unseen.add(event);
  }

  @Override
  public void onError(Throwable thrown) {}

  @Override
  public void onComplete() {
    completed.countDown();
  }
}

package dev.graft.spark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.WorkerPool;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SharedPoolsTest {
  private static final Farm FARM = new Farm("127.0.0.1:9", "", "", "");

  @Test
  void tasksShareThePoolOfAFarm() {
    SharedPools pools = new SharedPools(Duration.ofHours(1), Farm::connect);
    SharedPools.Lease one = pools.lease(FARM);
    SharedPools.Lease two = pools.lease(new Farm("127.0.0.1:9", "", "", ""));
    SharedPools.Lease other = pools.lease(new Farm("127.0.0.1:10", "", "", ""));
    assertThat(two.pool()).isSameAs(one.pool()).isNotSameAs(other.pool());
    one.close();
    one.close(); // counts once
    two.close();
    assertThat(pools.lease(FARM).pool()).as("the pool of tasks before").isSameAs(one.pool());
    one.pool().close();
    other.pool().close();
  }

  @Test
  void aPoolThatNobodyUsesIsClosed() throws InterruptedException {
    SharedPools pools = new SharedPools(Duration.ofMillis(20), Farm::connect);
    SharedPools.Lease one = pools.lease(FARM);
    SharedPools.Lease two = pools.lease(FARM);
    CountDownLatch closed = closing(one.pool());
    one.close();
    two.close();
    closed.await();
    SharedPools.Lease later = pools.lease(FARM);
    assertThat(later.pool()).isNotSameAs(one.pool());
    CountDownLatch closedToo = closing(later.pool());
    later.close();
    closedToo.await();
  }

  private static CountDownLatch closing(WorkerPool pool) {
    CountDownLatch closed = new CountDownLatch(1);
    pool.events()
        .subscribe(
            new Flow.Subscriber<PoolEvent>() {
              @Override
              public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
              }

              @Override
              public void onNext(PoolEvent event) {}

              @Override
              public void onError(Throwable thrown) {}

              @Override
              public void onComplete() {
                closed.countDown();
              }
            });
    return closed;
  }
}

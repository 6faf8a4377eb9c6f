package dev.graft.client.pool;

import java.util.concurrent.Flow;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.SubmissionPublisher;

/** Events of a pool for whoever listens. Nothing waits for a listener that is slow. */
final class PoolEvents {
  private static final int BUFFER = 1_024;

  private final SubmissionPublisher<PoolEvent> publisher =
      new SubmissionPublisher<>(ForkJoinPool.commonPool(), BUFFER);

  Flow.Publisher<PoolEvent> publisher() {
    return publisher;
  }

  void add(PoolEvent event) {
    if (!publisher.isClosed() && publisher.hasSubscribers()) {
      publisher.offer(event, (subscriber, missed) -> false);
    }
  }

  void close() {
    publisher.close();
  }
}

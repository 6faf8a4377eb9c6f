package dev.graft.client.pool;

import dev.graft.client.GraftRpcException;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** How often and after which pauses calls are tried again. */
final class Retries {
  private Retries() {}

  static Retry of(String name, PoolOptions options) {
    return Retry.of(
        name,
        RetryConfig.custom()
            .maxAttempts(options.mostAttempts())
            .retryOnException(thrown -> RetryTable.scope(thrown) != RetryScope.NEVER)
            .intervalBiFunction(
                (attempt, outcome) -> pause(options, attempt, outcome.getLeft()).toMillis())
            .build());
  }

  /**
   * Full jitter: anything up to a bound that doubles with each attempt, so that callers who failed
   * together do not come back together. What the worker itself asks for is waited in any case.
   */
  static Duration pause(PoolOptions options, int attempt, Throwable failure) {
    long first = options.firstBackoff().toMillis();
    long bound = Math.min(options.longestBackoff().toMillis(), first << Math.min(attempt - 1, 20));
    Duration jitter = Duration.ofMillis(ThreadLocalRandom.current().nextLong(1, bound + 2));
    return failure instanceof GraftRpcException failed
        ? failed.retryDelay().orElse(Duration.ZERO).plus(jitter)
        : jitter;
  }
}

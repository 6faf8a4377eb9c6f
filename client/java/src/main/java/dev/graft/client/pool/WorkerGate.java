package dev.graft.client.pool;

import dev.graft.client.GraftRpcException;
import dev.graft.v1.DescribeWorkerResponse;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Whether a worker gets another call now: by Resilience4j's bulkhead, circuit breaker and rate
 * limiter, and by what the worker itself said when it refused one. Used in the pool's
 * synchronization context only.
 */
final class WorkerGate {
  private static final CircuitBreakerConfig BREAKERS =
      CircuitBreakerConfig.custom()
          .slidingWindowSize(8)
          .minimumNumberOfCalls(3)
          .failureRateThreshold(50)
          .permittedNumberOfCallsInHalfOpenState(1)
          .waitDurationInOpenState(Duration.ofSeconds(5))
          .ignoreException(RetryTable::isRefusal)
          // A call that is refused for its own faults says nothing about the worker.
          .recordException(thrown -> RetryTable.scope(thrown) == RetryScope.OTHER_WORKER)
          .build();

  private static final int FEWEST_CALLS = 2;
  private static final int MOST_CALLS = 16;

  /** So long may one call keep the next from starting. */
  private static final Duration LONGEST_DEBT = Duration.ofDays(365);

  private final PoolOptions options;
  private final LongSupplier nanoTime;
  private final CircuitBreaker breaker;
  private final String worker;
  private final Optional<RateLimiter> rateLimiter;
  private Bulkhead bulkhead;
  private String lastObstacle = "is avoided, as the call failed there before";
  private int refusals; // in a row
  private long closedUntil;

  WorkerGate(
      String worker, PoolOptions options, LongSupplier nanoTime, Consumer<PoolEvent> events) {
    this.options = options;
    this.nanoTime = nanoTime;
    this.closedUntil = nanoTime.getAsLong();
    this.breaker = CircuitBreaker.of(worker, BREAKERS);
    this.worker = worker;
    this.bulkhead = bulkhead(FEWEST_CALLS);
    this.rateLimiter =
        options
            .workerTokensPerSecond()
            .map(
                tokens ->
                    RateLimiter.of(
                        worker,
                        RateLimiterConfig.custom()
                            .limitRefreshPeriod(Duration.ofSeconds(1))
                            .limitForPeriod(tokens)
                            .timeoutDuration(LONGEST_DEBT)
                            .build()));
    breaker
        .getEventPublisher()
        .onStateTransition(
            event ->
                events.accept(
                    new PoolEvent.BreakerMoved(
                        worker,
                        event.getStateTransition().getFromState(),
                        event.getStateTransition().getToState())));
  }

  private Bulkhead bulkhead(int calls) {
    return Bulkhead.of(
        worker,
        BulkheadConfig.custom().maxConcurrentCalls(calls).maxWaitDuration(Duration.ZERO).build());
  }

  /** The worker came back, often as another process than before. */
  void reset(DescribeWorkerResponse description) {
    bulkhead = bulkhead(options.callsPerWorker().orElse(callsFor(description)));
    breaker.reset();
    refusals = 0;
    closedUntil = nanoTime.getAsLong();
  }

  /** So many that each of its lanes has a batch to compute and one to go on with. */
  private int callsFor(DescribeWorkerResponse description) {
    int tokensPerBatch = Math.max(1, description.getLimits().getTokensPerBatch());
    int batchesOfACall = Math.max(1, options.shardTokens() / tokensPerBatch);
    int batches = 2 * description.getDevice().getLanes();
    int calls = (batches + batchesOfACall - 1) / batchesOfACall;
    return Math.min(MOST_CALLS, Math.max(FEWEST_CALLS, calls));
  }

  /** Calls that the worker gets at the same time. */
  int calls() {
    return bulkhead.getBulkheadConfig().getMaxConcurrentCalls();
  }

  /** Whether a call may get in, as far as that can be told without trying. */
  boolean isOpen() {
    Optional<String> obstacle = obstacle();
    obstacle.ifPresent(why -> lastObstacle = why);
    return obstacle.isEmpty();
  }

  /** Lets a call in, or not; never waits. */
  Optional<Pass> enter(long tokens) {
    if (!isOpen()) {
      return Optional.empty();
    }
    if (!breaker.tryAcquirePermission()) {
      lastObstacle =
          "is left alone for a while, as calls failed (circuit breaker %s)"
              .formatted(breaker.getState());
      return Optional.empty();
    }
    // A bulkhead lets no interrupted thread in. But any caller's thread may do the pool's work, and
    // the place may be for another's job.
    boolean interrupted = Thread.interrupted();
    bulkhead.acquirePermission();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    // More than there is: the next call waits until the debt is paid.
    rateLimiter.ifPresent(limit -> limit.reservePermission(Math.toIntExact(tokens)));
    return Optional.of(new Pass(breaker.getCurrentTimestamp()));
  }

  /** What last kept a call out, to be put after the worker's name. */
  String why() {
    return lastObstacle;
  }

  private Optional<String> obstacle() {
    if (isFull()) {
      return Optional.of("has the %d calls that the pool gives it".formatted(calls()));
    }
    if (refuses()) {
      return Optional.of("refuses calls, as it has too many");
    }
    return isOverRate()
        ? Optional.of("has all tokens that its rate limit allows now")
        : Optional.empty();
  }

  /** Whether only the rate limit keeps calls out. */
  boolean isHeldBack() {
    return isOverRate()
        && !isFull()
        && !refuses()
        && breaker.getState() != CircuitBreaker.State.OPEN;
  }

  private boolean isOverRate() {
    return rateLimiter.isPresent() && rateLimiter.get().getMetrics().getAvailablePermissions() <= 0;
  }

  private boolean isFull() {
    return bulkhead.getMetrics().getAvailableConcurrentCalls() == 0;
  }

  private boolean refuses() {
    return nanoTime.getAsLong() - closedUntil < 0;
  }

  /** A call's stay at the worker; MUST be ended once. */
  final class Pass {
    private final Bulkhead entered = bulkhead; // the worker may get another meanwhile
    private final long since;

    private Pass(long since) {
      this.since = since;
    }

    void succeeded() {
      refusals = 0;
      entered.onComplete();
      breaker.onSuccess(breaker.getCurrentTimestamp() - since, breaker.getTimestampUnit());
    }

    /**
     * The call failed.
     *
     * @return how long the worker gets no more calls because it refused this one
     */
    Duration failed(Throwable failure) {
      entered.onComplete();
      breaker.onError(breaker.getCurrentTimestamp() - since, breaker.getTimestampUnit(), failure);
      if (failure instanceof GraftRpcException failed
          && failed.reason().equals(StallDetector.REASON)) {
        breaker.transitionToOpenState(); // or it would get, and hold, more
      }
      if (!RetryTable.isRefusal(failure)) {
        return Duration.ZERO;
      }
      Duration pause = Retries.pause(options, ++refusals, failure);
      closedUntil = nanoTime.getAsLong() + pause.toNanos();
      return pause;
    }

    /** The call is not needed any more; that says nothing about the worker. */
    void abandoned() {
      entered.onComplete();
      breaker.releasePermission();
    }
  }
}

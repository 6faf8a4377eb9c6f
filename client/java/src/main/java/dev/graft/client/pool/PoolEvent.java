package dev.graft.client.pool;

import dev.graft.client.TrainEvent;
import dev.graft.v1.DescribeWorkerResponse;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Something that happened in a pool, or to a job on it. Workers are named by their addresses. */
public sealed interface PoolEvent {
  /** A worker is there, serves, and has told about itself. */
  record WorkerUp(String worker, DescribeWorkerResponse description) implements PoolEvent {}

  /**
   * A worker, or the name of several, that is not there yet: it cannot be reached, or not be
   * resolved, or does not serve. Told once until it is up.
   */
  record WorkerMissing(String worker, String why) implements PoolEvent {}

  /** A worker that was up no longer serves, cannot be reached, or left. */
  record WorkerDown(String worker, String why) implements PoolEvent {}

  /** The workers that are up are not of one kind: the last bits of features may differ. */
  record MixedKinds(Map<WorkerKind, List<String>> workers) implements PoolEvent {}

  /** A worker's circuit breaker lets calls through, or no longer does. */
  record BreakerMoved(String worker, CircuitBreaker.State from, CircuitBreaker.State to)
      implements PoolEvent {}

  /**
   * A worker got a shard.
   *
   * @param job number of the job in the pool
   * @param shard number of the shard in the job
   * @param hedge whether another worker has it too
   */
  record ShardStarted(long job, long shard, String worker, int items, long tokens, boolean hedge)
      implements PoolEvent {}

  /** A shard's results are there, from the worker that was first. */
  record ShardDone(long job, long shard, String worker, int items, long tokens, Duration took)
      implements PoolEvent {}

  /**
   * A shard failed at a worker and will be tried again.
   *
   * @param pause how long until then; if the worker refused it as it has too many calls
   *     (TOO_MANY_CALLS) how long until that worker is asked again: another may get it at once
   */
  record ShardRetried(long job, long shard, String worker, String why, Duration pause)
      implements PoolEvent {}

  /** How far a job is: at most one per second. */
  record Throughput(
      long job, long items, long tokens, double itemsPerSecond, double tokensPerSecond)
      implements PoolEvent {}

  /** A training reports. */
  record Training(long job, String worker, TrainEvent event) implements PoolEvent {}

  /**
   * A training goes on at another worker.
   *
   * @param step the step of the checkpoint that it goes on from; 0 without
   */
  record TrainingMoved(long job, String lost, String why, long step) implements PoolEvent {}
}

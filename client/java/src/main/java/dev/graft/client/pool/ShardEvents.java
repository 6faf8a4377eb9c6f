package dev.graft.client.pool;

import dev.graft.client.GraftRpcException;
import java.time.Duration;
import java.util.function.Consumer;

/** Tells what becomes of a job's shards. */
record ShardEvents(long job, Consumer<PoolEvent> events) {
  void started(Shard shard, String worker, boolean hedge) {
    events.accept(
        new PoolEvent.ShardStarted(
            job, shard.number(), worker, shard.items().size(), shard.tokens(), hedge));
  }

  void done(Shard shard, String worker, long tokens, Duration took) {
    events.accept(
        new PoolEvent.ShardDone(job, shard.number(), worker, shard.items().size(), tokens, took));
  }

  void retried(Shard shard, String worker, Throwable failure, Duration pause) {
    events.accept(new PoolEvent.ShardRetried(job, shard.number(), worker, why(failure), pause));
  }

  private static String why(Throwable failure) {
    return failure instanceof GraftRpcException failed && !failed.reason().isEmpty()
        ? failed.reason()
        : String.valueOf(failure.getMessage());
  }

  void throughput(PoolEvent.Throughput throughput) {
    events.accept(throughput);
  }
}

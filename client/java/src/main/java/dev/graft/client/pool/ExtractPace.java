package dev.graft.client.pool;

import java.time.Duration;

/** What a job has done so far, and so how long a shard should take. */
final class ExtractPace {
  /** A shard that has taken this many times as long as its tokens should is late. */
  private static final double LATE = 2;

  private static final long REPORT_NANOS = Duration.ofSeconds(1).toNanos();

  private final long jobNumber;
  private final long begun;
  private long items;
  private long tokens; // as the workers counted them
  private long estimatedTokens;
  private long nanos; // of the calls, added up
  private long reported;

  ExtractPace(long jobNumber, long now) {
    this.jobNumber = jobNumber;
    this.begun = now;
    this.reported = now;
  }

  long nanosSinceStart(long now) {
    return now - begun;
  }

  void done(Shard shard, long countedTokens, long took) {
    items += shard.items().size();
    tokens += countedTokens;
    estimatedTokens += shard.tokens();
    nanos += took;
  }

  /** Whether a call for the shard takes much longer than it should; false while that is unknown. */
  boolean isLate(Shard shard, long taken) {
    return estimatedTokens > 0 && taken > (long) (LATE * nanos / estimatedTokens * shard.tokens());
  }

  boolean isReportDue(long now) {
    return now - reported >= REPORT_NANOS;
  }

  PoolEvent.Throughput report(long now) {
    reported = now;
    double seconds = Math.max(1, now - begun) / 1e9;
    return new PoolEvent.Throughput(jobNumber, items, tokens, items / seconds, tokens / seconds);
  }
}

package dev.graft.client.pool;

import dev.graft.v1.Pooling;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/** How a pool treats its workers. Every default is what a farm in one data center wants. */
public final class PoolOptions {
  private static final int MOST_UNPOOLED_TOKENS = 2_048;

  private ChannelCredentials credentials = InsecureChannelCredentials.create();
  private Duration patience = Duration.ofMinutes(2);
  private Duration firstMessageTimeout = Duration.ofMinutes(5);
  private Duration stallTimeout = Duration.ofMinutes(1);
  private Duration trainingStallTimeout = Duration.ofMinutes(5);
  private Duration callDeadline = Duration.ofMinutes(30);
  private Duration firstBackoff = Duration.ofMillis(200);
  private Duration longestBackoff = Duration.ofSeconds(10);
  private Duration hedgeAfter = Duration.ofSeconds(1);
  private int mostAttempts = 16;
  private int shardTokens = 16_384;
  private int shardItems = 1_024;
  private OptionalInt callsPerWorker = OptionalInt.empty();
  private OptionalInt tokensPerSecond = OptionalInt.empty();
  private Optional<Integer> workerTokensPerSecond = Optional.empty();

  /** TLS or other credentials. Default: plaintext. */
  public PoolOptions credentials(ChannelCredentials newCredentials) {
    credentials = newCredentials;
    return this;
  }

  /**
   * How long a job waits for a worker, while none is alive or all are full of others' calls. The
   * time begins anew whenever a call of the pool is done. Default: 2 minutes.
   */
  public PoolOptions patience(Duration newPatience) {
    patience = newPatience;
    return this;
  }

  /**
   * How long a call may wait for its first message; a worker that loads the backbone first takes
   * its time. Default: 5 minutes.
   */
  public PoolOptions firstMessageTimeout(Duration newFirstMessageTimeout) {
    firstMessageTimeout = newFirstMessageTimeout;
    return this;
  }

  /**
   * How long an Extract call may wait for a message after the first, before it is given up and
   * replayed elsewhere. Default: 1 minute.
   */
  public PoolOptions stallTimeout(Duration newStallTimeout) {
    stallTimeout = newStallTimeout;
    return this;
  }

  /**
   * How long a training may wait for a message after the first, before it goes on at another worker
   * from the last checkpoint. A worker tells how far it is a few times a second, but is silent
   * while it makes one step, one part of an evaluation or a checkpoint, and while other calls have
   * its device. Default: 5 minutes.
   */
  public PoolOptions trainingStallTimeout(Duration newTrainingStallTimeout) {
    trainingStallTimeout = newTrainingStallTimeout;
    return this;
  }

  /** How long the call for one shard may take. Default: 30 minutes. */
  public PoolOptions callDeadline(Duration newCallDeadline) {
    callDeadline = newCallDeadline;
    return this;
  }

  /**
   * Bounds of the pause before another attempt: drawn between 0 and a bound that doubles with each.
   * Default: 200 ms at first, 10 s at most.
   */
  public PoolOptions backoff(Duration first, Duration longest) {
    firstBackoff = first;
    longestBackoff = longest;
    return this;
  }

  /** Attempts for one shard, or for one training without progress. Default: 16. */
  public PoolOptions mostAttempts(int newMostAttempts) {
    mostAttempts = newMostAttempts;
    return this;
  }

  /**
   * How long a shard runs at least before an idle worker gets it too. Default: 1 second; a shard
   * must also have taken twice as long as its tokens should.
   */
  public PoolOptions hedgeAfter(Duration newHedgeAfter) {
    hedgeAfter = newHedgeAfter;
    return this;
  }

  /**
   * Size of a shard: estimated tokens and number of items at most; of features for each token
   * (POOLING_NONE), which are large, never more than 2,048 tokens. With another size features may
   * differ in their last bits. Default: 16,384 tokens, 1,024 items.
   */
  public PoolOptions shards(int tokens, int items) {
    shardTokens = tokens;
    shardItems = items;
    return this;
  }

  /**
   * Calls that a worker gets at the same time. Default: as many as have two batches for each of its
   * lanes, 2 at least and 16 at most, so that it need not wait for work.
   */
  public PoolOptions callsPerWorker(int newCallsPerWorker) {
    callsPerWorker = OptionalInt.of(newCallsPerWorker);
    return this;
  }

  /** Limits the estimated tokens per second that a job sends out. Default: no limit. */
  public PoolOptions tokensPerSecond(int newTokensPerSecond) {
    tokensPerSecond = OptionalInt.of(newTokensPerSecond);
    return this;
  }

  /**
   * Limits the estimated tokens per second that a worker gets from all jobs of the pool together.
   * Default: no limit.
   */
  public PoolOptions workerTokensPerSecond(int newWorkerTokensPerSecond) {
    workerTokensPerSecond = Optional.of(newWorkerTokensPerSecond);
    return this;
  }

  ChannelCredentials credentials() {
    return credentials;
  }

  Duration patience() {
    return patience;
  }

  Duration firstMessageTimeout() {
    return firstMessageTimeout;
  }

  Duration stallTimeout() {
    return stallTimeout;
  }

  Duration trainingStallTimeout() {
    return trainingStallTimeout;
  }

  Duration callDeadline() {
    return callDeadline;
  }

  Duration firstBackoff() {
    return firstBackoff;
  }

  Duration longestBackoff() {
    return longestBackoff;
  }

  Duration hedgeAfter() {
    return hedgeAfter;
  }

  int mostAttempts() {
    return mostAttempts;
  }

  int shardTokens() {
    return shardTokens;
  }

  int shardTokens(Pooling pooling) {
    return pooling == Pooling.POOLING_NONE
        ? Math.min(shardTokens, MOST_UNPOOLED_TOKENS)
        : shardTokens;
  }

  int shardItems() {
    return shardItems;
  }

  OptionalInt callsPerWorker() {
    return callsPerWorker;
  }

  OptionalInt tokensPerSecond() {
    return tokensPerSecond;
  }

  Optional<Integer> workerTokensPerSecond() {
    return workerTokensPerSecond;
  }
}

package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;

/**
 * A running Extract job over many workers as an iterator over its results, exactly one for each
 * item. One thread iterates; closing before the end cancels the job. A job that cannot go on throws
 * an {@link IncompleteJobException}, or the failure that no other worker would change, or what the
 * items' iterator threw, from {@code hasNext} and {@code next}.
 *
 * <p>Memory is bounded by the shards in work: items are pulled, on a thread of the job's, only as
 * workers take them and the caller takes results.
 */
public final class PooledExtract implements Iterator<ItemResult>, AutoCloseable {
  private sealed interface Signal {
    record Results(Iterator<ItemResult> results) implements Signal {}

    record Completed() implements Signal {}

    record Failed(Throwable thrown) implements Signal {}
  }

  private final WorkerPool pool;
  private final ShardedExtract shards;
  private final Semaphore room = new Semaphore(0);
  private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>(); // bounded by `room`
  private final CompletableFuture<ExtractReady> ready = new CompletableFuture<>();
  private final Optional<RateLimiter> rateLimiter;
  private final Thread feeder;
  private Signal head; // used by the iterating thread only; stays once it is the last

  PooledExtract(
      long number,
      WorkerPool pool,
      ExtractJob job,
      WorkerChoice choice,
      Iterable<? extends Item> items,
      ResultOrder order,
      Surroundings surroundings) {
    PoolOptions options = surroundings.options();
    this.pool = pool;
    this.shards = new ShardedExtract(number, job, choice, order, surroundings, new Queue());
    this.rateLimiter =
        options.tokensPerSecond().isPresent()
            ? Optional.of(rateLimiter(options.tokensPerSecond().getAsInt()))
            : Optional.empty();
    int shardTokens = options.shardTokens(job.spec().getFeatures().getPooling());
    this.feeder = new Thread(() -> feed(items, shardTokens, options), "graft-shards-" + number);
    feeder.setDaemon(true);
  }

  private static RateLimiter rateLimiter(int tokensPerSecond) {
    return RateLimiter.of(
        "tokens",
        RateLimiterConfig.custom()
            .limitRefreshPeriod(Duration.ofSeconds(1))
            .limitForPeriod(tokensPerSecond)
            .timeoutDuration(Duration.ofDays(1))
            .build());
  }

  void start() {
    feeder.start();
  }

  ShardedExtract shards() {
    return shards;
  }

  private void feed(Iterable<? extends Item> items, int shardTokens, PoolOptions options) {
    try {
      ShardCutter cutter = new ShardCutter(items.iterator(), shardTokens, options.shardItems());
      while (true) {
        room.acquire();
        if (!cutter.hasNext()) {
          break;
        }
        Shard shard = cutter.next();
        rateLimiter.ifPresent(limit -> limit.acquirePermission((int) shard.tokens()));
        pool.loop().execute(() -> shards.admit(shard));
      }
      pool.loop().execute(shards::inputEnded);
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt(); // whoever closed the job knows
    } catch (Throwable thrown) { // whatever the source throws is the caller's to see
      pool.loop().execute(() -> shards.fail(thrown));
    }
  }

  /** The spec with every default filled in, the same from all workers. Waits for it. */
  public ExtractReady ready() {
    try {
      return ready.join();
    } catch (CompletionException failed) {
      throw unchecked(failed.getCause());
    }
  }

  @Override
  public boolean hasNext() {
    while (true) {
      if (head == null) {
        head = take();
      }
      if (head instanceof Signal.Failed failed) {
        throw unchecked(failed.thrown());
      }
      if (head instanceof Signal.Completed) {
        return false;
      }
      if (head instanceof Signal.Results next && next.results().hasNext()) {
        return true;
      }
      head = null;
    }
  }

  @Override
  public ItemResult next() {
    if (!hasNext() || !(head instanceof Signal.Results next)) {
      throw new NoSuchElementException("the job is complete");
    }
    return next.results().next();
  }

  private Signal take() {
    try {
      Signal signal = signals.take();
      room.release();
      return signal;
    } catch (InterruptedException interrupted) {
      close();
      Thread.currentThread().interrupt();
      return new Signal.Failed(
          new CancellationException("the thread that waited for the job was interrupted"));
    }
  }

  private static RuntimeException unchecked(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return thrown instanceof RuntimeException exception
        ? exception
        : new CompletionException(thrown);
  }

  /** Cancels the job unless it is over. */
  @Override
  public void close() {
    pool.loop()
        .execute(
            () -> shards.fail(new CancellationException("the job was cancelled by its caller")));
  }

  private final class Queue implements ShardDelivery {
    private int granted; // of `room`; used in the loop only

    @Override
    public void ready(ExtractReady known) {
      ready.complete(known);
    }

    @Override
    public void room(int shards) {
      if (shards > granted) {
        room.release(shards - granted);
        granted = shards;
      }
    }

    @Override
    public void results(List<ItemResult> results) {
      signals.add(new Signal.Results(results.iterator()));
    }

    @Override
    public void completed() {
      end(new Signal.Completed());
    }

    @Override
    public void failed(Throwable thrown) {
      feeder.interrupt();
      ready.completeExceptionally(thrown);
      end(new Signal.Failed(thrown));
    }

    private void end(Signal last) {
      signals.add(last);
      pool.ended(shards);
    }
  }
}

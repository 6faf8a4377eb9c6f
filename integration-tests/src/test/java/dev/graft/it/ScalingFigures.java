package dev.graft.it;

import com.sun.management.OperatingSystemMXBean;
import dev.graft.client.ExtractJob;
import dev.graft.client.Items;
import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.v1.Content;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.TokenIds;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Measures how extraction scales with workers whose devices are simulated, so that the client is
 * what limits it. No part of the tests, as its name is none of theirs; docs/scaling.md says how to
 * run it.
 */
class ScalingFigures {
  private static final int TOKENS_PER_ITEM = 64;
  private static final int ITEMS_PER_SHARD = 16_384 / TOKENS_PER_ITEM;
  private static final int FEATURE_SIZE = 384;
  private static final int ROUNDS = 3;

  private static final Content CONTENT =
      Content.newBuilder()
          .setTokenIds(
              TokenIds.newBuilder().addAllIds(Collections.nCopies(TOKENS_PER_ITEM, 20_000)))
          .build();

  /** What a worker's device does in a second, and how many shards it gets in all. */
  private record Kind(int tokensPerSecond, int shards) {
    long nanosPerToken() {
      return 1_000_000_000L / tokensPerSecond;
    }
  }

  private static final Kind FAST = new Kind(160_000, 100); // a shard in 0.1 s, ten seconds in all
  private static final Kind FOUR_OF_A_FARM = new Kind(250_000, 500); // as 1,000 of the next, 33 s
  private static final Kind SLOW = new Kind(1_000, 2);

  /** Each worker is a process of its own. */
  @Test
  void extraction() throws Exception {
    measureProcesses(1); // what is only slow the first time
    printHeader();
    for (int workers : List.of(1, 2, 4)) {
      for (int round = 0; round < ROUNDS; round++) {
        System.out.println(measureProcesses(workers));
      }
    }
  }

  /** All workers are in one process: what they cost the client, and not how they scale. */
  @Test
  void coordination() throws Exception {
    measureOneProcess(4, FOUR_OF_A_FARM);
    printHeader();
    for (int round = 0; round < ROUNDS; round++) {
      System.out.println(measureOneProcess(4, FOUR_OF_A_FARM));
      System.out.println(measureOneProcess(1_000, SLOW));
    }
  }

  private static void printHeader() {
    System.out.println("| workers | tokens/s | efficiency | client CPU for an item |");
    System.out.println("| --- | --- | --- | --- |");
  }

  private record Figures(int workers, Kind kind, long items, double seconds, double cpuSeconds) {
    @Override
    public String toString() {
      double tokensPerSecond = items * TOKENS_PER_ITEM / seconds;
      double possible = (double) workers * kind.tokensPerSecond();
      return "| %d | %,.0f | %.3f | %.1f µs |"
          .formatted(
              workers, tokensPerSecond, tokensPerSecond / possible, 1e6 * cpuSeconds / items);
    }
  }

  private static Figures measureProcesses(int count) throws Exception {
    List<WorkerProcess> workers = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        workers.add(WorkerProcess.simulate(FAST.nanosPerToken(), FEATURE_SIZE));
      }
      return measure(workers.stream().map(WorkerProcess::address).toList(), FAST);
    } finally {
      workers.forEach(WorkerProcess::close);
    }
  }

  private static Figures measureOneProcess(int count, Kind kind) throws Exception {
    try (WorkerProcess first = WorkerProcess.simulate(kind.nanosPerToken(), FEATURE_SIZE, count)) {
      return measure(
          IntStream.range(0, count)
              .mapToObj(number -> SimulatedWorker.address(number) + ":" + first.port())
              .toList(),
          kind);
    }
  }

  private static Figures measure(List<String> workers, Kind kind) {
    try (WorkerPool pool = FarmJobs.connect(workers, new PoolOptions())) {
      return extract(pool, workers.size(), kind);
    }
  }

  private static Figures extract(WorkerPool pool, int workers, Kind kind) {
    long count = (long) workers * kind.shards() * ITEMS_PER_SHARD;
    Iterable<Item> items =
        () -> LongStream.range(0, count).mapToObj(number -> Items.of(number, CONTENT)).iterator();
    long since = System.nanoTime();
    long cpuBefore = cpuNanos();
    long results = 0;
    try (PooledExtract extract =
        pool.extract(
            ExtractJob.of(ExtractSpec.getDefaultInstance()), items, ResultOrder.OF_ITEMS)) {
      while (extract.hasNext()) {
        if (extract.next().getNumber() != results++) {
          throw new IllegalStateException("result %d is not the next".formatted(results - 1));
        }
      }
    }
    if (results != count) {
      throw new IllegalStateException("%d results of %d items".formatted(results, count));
    }
    return new Figures(
        workers, kind, count, (System.nanoTime() - since) / 1e9, (cpuNanos() - cpuBefore) / 1e9);
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}

package dev.graft.it;

import com.sun.management.OperatingSystemMXBean;
import dev.graft.client.ExtractJob;
import dev.graft.client.Items;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.client.pool.WorkerState;
import dev.graft.v1.Content;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.TokenIds;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Measures how extraction scales with workers whose devices are simulated, so that the client is
 * what limits it. No part of the tests, as its name is none of theirs; docs/scaling.md says how to
 * run it.
 */
class ScalingFigures {
  private static final long NANOS_PER_TOKEN = 6_250; // 160,000 tokens a second: a shard in 0.1 s
  private static final int TOKENS_PER_ITEM = 64;
  private static final int ITEMS_PER_WORKER = 25_600; // 100 shards, ten seconds
  private static final int FEATURE_SIZE = 384;
  private static final int ROUNDS = 3;

  private static final Content CONTENT =
      Content.newBuilder()
          .setTokenIds(
              TokenIds.newBuilder().addAllIds(Collections.nCopies(TOKENS_PER_ITEM, 20_000)))
          .build();

  @Test
  void extraction() throws Exception {
    measure(1); // what is only slow the first time
    System.out.println("| workers | tokens/s | efficiency | client CPU for an item |");
    System.out.println("| --- | --- | --- | --- |");
    for (int workers : List.of(1, 2, 4)) {
      for (int round = 0; round < ROUNDS; round++) {
        System.out.println(measure(workers));
      }
    }
  }

  private record Figures(int workers, long items, double seconds, double cpuSeconds) {
    @Override
    public String toString() {
      double tokensPerSecond = items * TOKENS_PER_ITEM / seconds;
      double possible = workers * 1e9 / NANOS_PER_TOKEN;
      return "| %d | %,.0f | %.3f | %.1f µs |"
          .formatted(
              workers, tokensPerSecond, tokensPerSecond / possible, 1e6 * cpuSeconds / items);
    }
  }

  private static Figures measure(int count) throws Exception {
    List<WorkerProcess> workers = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        workers.add(WorkerProcess.simulate(NANOS_PER_TOKEN, FEATURE_SIZE));
      }
      String targets =
          workers.stream().map(WorkerProcess::address).collect(Collectors.joining(","));
      try (WorkerPool pool = WorkerPool.connect(targets)) {
        while (pool.workers().stream().map(WorkerState::description).anyMatch(d -> d.isEmpty())) {
          Thread.sleep(10);
        }
        return extract(pool, count);
      }
    } finally {
      workers.forEach(WorkerProcess::close);
    }
  }

  private static Figures extract(WorkerPool pool, int workers) {
    long count = (long) workers * ITEMS_PER_WORKER;
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
        workers, count, (System.nanoTime() - since) / 1e9, (cpuNanos() - cpuBefore) / 1e9);
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}

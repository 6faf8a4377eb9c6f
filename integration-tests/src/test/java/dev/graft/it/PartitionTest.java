package dev.graft.it;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.graft.client.TrainEvent;
import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.PoolOptions;
import dev.graft.client.pool.WorkerPool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Four workers, each in a network namespace of its own. In the middle of a job the network between
 * the client and half of them loses all packets: the result is that of the undisturbed job.
 */
@Timeout(300)
class PartitionTest {
  private static final int WORKERS = 4;
  private static final List<WorkerProcess> FARM = new ArrayList<>();

  private static VirtualSwitch network;
  private static FarmJobs undisturbed;

  @BeforeAll
  static void startWorkers() throws Exception {
    try {
      network = VirtualSwitch.open(WORKERS);
    } catch (IOException impossible) {
      String why = "PartitionTest did not run, for it needs root and network namespaces: ";
      System.err.println(why + impossible.getMessage());
      abort(why + impossible.getMessage());
    }
    for (int port = 0; port < WORKERS; port++) {
      FARM.add(WorkerProcess.serve(network.launcher(port), network.address(port), TinyModel.ROOT));
    }
    try (WorkerPool pool = WorkerPool.connect(FARM.get(0).address(), FarmJobs.options())) {
      undisturbed = FarmJobs.on(pool);
    }
  }

  @AfterAll
  static void stopWorkers() throws IOException {
    FARM.forEach(WorkerProcess::close);
    if (network != null) {
      network.close();
    }
  }

  @AfterEach
  void heal() {
    IntStream.range(0, WORKERS).forEach(PartitionTest::plugIn);
  }

  @Test
  void aPartitionThatStays() {
    try (WorkerPool pool = connect(FarmJobs.options())) {
      FarmLog log = FarmLog.of(pool);
      undisturbed.extractAgain(
          pool,
          results -> {
            if (results == 100) { // what is in work then is ready; the next shards get lost
              pull(2);
              pull(3);
            }
          });
      log.await("a hedge", event -> event instanceof PoolEvent.ShardStarted hedge && hedge.hedge());
    }
  }

  @Test
  void aPartitionThatHeals() {
    Set<String> cut = Set.of(FARM.get(0).address(), FARM.get(1).address());
    try (WorkerPool pool = connect(FarmJobs.options().hedgeAfter(Duration.ofHours(1)))) {
      FarmLog log = FarmLog.of(pool);
      undisturbed.extractAgain(
          pool,
          results -> {
            if (results == 100) {
              pull(0);
              pull(1);
            } else if (results == 1_000) {
              plugIn(0);
              plugIn(1);
            }
          });
      for (String worker : cut) {
        log.await("a shard lost by " + worker, event -> isLoss(event, worker));
      }
      log.forgetDeliveries();
      do {
        undisturbed.extractAgain(pool, results -> {});
      } while (!log.delivered().containsAll(cut));
    }
  }

  private static boolean isLoss(PoolEvent event, String worker) {
    return event instanceof PoolEvent.ShardRetried retried && retried.worker().equals(worker);
  }

  @Test
  void aPartitionFromTheWorkerThatTrains() {
    AtomicBoolean pulled = new AtomicBoolean();
    Duration soon = Duration.ofSeconds(4); // sooner than keepalive notices
    try (WorkerPool pool = connect(FarmJobs.options().trainingStallTimeout(soon))) {
      FarmLog log = FarmLog.of(pool);
      undisturbed.trainAgain(
          pool,
          event -> {
            if (event instanceof TrainEvent.CheckpointSaved && !pulled.getAndSet(true)) {
              int training = addresses().indexOf(FarmJobs.theOneThatTrains(pool));
              pull(training);
              pull((training + 1) % WORKERS);
            }
          });
      log.await("another worker to train", event -> event instanceof PoolEvent.TrainingMoved);
    }
  }

  private static WorkerPool connect(PoolOptions options) {
    return FarmJobs.connect(addresses(), options);
  }

  private static List<String> addresses() {
    return FARM.stream().map(WorkerProcess::address).toList();
  }

  private static void pull(int port) {
    try {
      network.pull(port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void plugIn(int port) {
    try {
      network.plugIn(port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

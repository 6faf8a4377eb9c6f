package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.client.ExtractJob;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.LoadedBackbone;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is there, how they are, and who gets the next call. */
@Timeout(60)
class WorkerPoolTest {
  private static final WorkerChoice ANY = WorkerChoice.withoutBackbone(Requirements.none());

  @Test
  void aListOfWorkersIsFollowed() throws InterruptedException {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(first.name() + ", " + second.name())) {
      awaitUp(pool, 2);
      assertThat(pool.workers())
          .extracting(WorkerState::worker)
          .containsExactlyInAnyOrder(first.name(), second.name());
      assertThat(pool.workers().get(0).description().orElseThrow().getVersion()).isEqualTo("1");
    }
  }

  @Test
  void allAddressesOfAHostAreOneWorker() throws InterruptedException {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect("localhost:" + worker.port())) {
      awaitUp(pool, 1);
      assertThat(pool.workers()).hasSize(1);
    }
  }

  @Test
  void aNameIsFollowedAsItsAddressesChange() throws InterruptedException {
    try (FarmNames names = FarmNames.register();
        FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(FarmNames.TARGET)) {
      Events events = Events.of(pool);
      names.set(first);
      assertThat(events.await(PoolEvent.WorkerUp.class).worker()).isEqualTo(first.name());
      names.set(first, second);
      assertThat(events.await(PoolEvent.WorkerUp.class).worker()).isEqualTo(second.name());
      names.set(second);
      assertThat(events.await(PoolEvent.WorkerDown.class).worker()).isEqualTo(first.name());
      assertThat(pool.workers()).extracting(WorkerState::worker).containsExactly(second.name());
    }
  }

  @Test
  void aWorkerThatSaysSoIsDown() throws InterruptedException {
    try (FarmWorker worker = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(worker.name())) {
      awaitUp(pool, 1);
      Events events = Events.of(pool);
      worker.serve(false);
      assertThat(events.await(PoolEvent.WorkerDown.class).why()).contains("NOT_SERVING");
      worker.serve(true);
      events.await(PoolEvent.WorkerUp.class);
    }
  }

  @Test
  void aWorkerThatComesBackIsUpAgain() throws InterruptedException {
    FarmWorker worker = FarmWorker.start();
    try (WorkerPool pool = WorkerPool.connect(worker.name())) {
      awaitUp(pool, 1);
      Events events = Events.of(pool);
      worker.close();
      events.await(PoolEvent.WorkerDown.class);
      try (FarmWorker again = FarmWorker.at(worker.port())) {
        events.await(PoolEvent.WorkerUp.class, up -> up.worker().equals(again.name()));
      }
    }
  }

  @Test
  void mixedKindsAreReported() throws InterruptedException {
    try (FarmNames names = FarmNames.register();
        FarmWorker old = FarmWorker.start();
        FarmWorker young = FarmWorker.describedAs(FarmWorker.ordinary().setVersion("2"));
        WorkerPool pool = WorkerPool.connect(FarmNames.TARGET)) {
      Events events = Events.of(pool);
      names.set(old, young);
      assertThat(events.await(PoolEvent.MixedKinds.class).workers().values())
          .containsExactlyInAnyOrder(List.of(old.name()), List.of(young.name()));
    }
  }

  @Test
  void theWorkerWithTheFewestOutstandingTokensIsNext() throws InterruptedException {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(first.name() + "," + second.name())) {
      awaitUp(pool, 2);
      Workforce.Place large = take(pool, 100, Set.of(), Set.of()).orElseThrow();
      Workforce.Place small = take(pool, 10, Set.of(), Set.of()).orElseThrow();
      assertThat(small.worker()).isNotEqualTo(large.worker());
      Workforce.Place third = take(pool, 10, Set.of(), Set.of()).orElseThrow();
      assertThat(third.worker()).isEqualTo(small.worker());
      // The bulkhead of that one is full now.
      Workforce.Place fourth = take(pool, 10, Set.of(), Set.of()).orElseThrow();
      assertThat(fourth.worker()).isEqualTo(large.worker());
      assertThat(take(pool, 10, Set.of(), Set.of())).isEmpty();
      inLoop(
          pool,
          workforce -> {
            large.leave();
            return null;
          });
      assertThat(take(pool, 10, Set.of(), Set.of()).orElseThrow().worker())
          .isEqualTo(large.worker());
    }
  }

  @Test
  void aWorkerThatHasTheBackboneIsNext() throws InterruptedException {
    LoadedBackbone backbone =
        LoadedBackbone.newBuilder().setPath("/models/b").setBytes(2_000).build();
    try (FarmWorker small = FarmWorker.describedAs(withMemory(1_000));
        FarmWorker large = FarmWorker.describedAs(withMemory(3_000));
        FarmWorker loaded = FarmWorker.describedAs(withMemory(1_000).addLoadedBackbones(backbone));
        WorkerPool pool =
            WorkerPool.connect(
                String.join(",", small.name(), large.name(), loaded.name()),
                new PoolOptions().callsPerWorker(1))) {
      awaitUp(pool, 3);
      WorkerChoice choice = WorkerChoice.of(Requirements.none(), "b");
      List<String> order = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        order.add(take(pool, choice, 10, Set.of(), Set.of()).orElseThrow().worker());
      }
      assertThat(order).containsExactly(loaded.name(), large.name(), small.name());
      assertThat(take(pool, choice, 10, Set.of(), Set.of())).isEmpty();
    }
  }

  private static DescribeWorkerResponse.Builder withMemory(long bytes) {
    DescribeWorkerResponse.Builder description = FarmWorker.ordinary();
    description.getDeviceBuilder().setTotalMemoryBytes(bytes);
    return description;
  }

  @Test
  void aWorkerThatLacksSomethingIsNotAsked() throws InterruptedException {
    DescribeWorkerResponse.Builder gpu = FarmWorker.ordinary();
    gpu.getDeviceBuilder().setName("cuda:0");
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.describedAs(gpu);
        WorkerPool pool = WorkerPool.connect(first.name() + "," + second.name())) {
      awaitUp(pool, 2);
      WorkerChoice choice = WorkerChoice.withoutBackbone(Requirements.none().withDevice("cuda"));
      // To avoid it is no use: no other will do.
      Set<String> avoided = Set.of(second.name());
      assertThat(take(pool, choice, 1, avoided, Set.of()).orElseThrow().worker())
          .isEqualTo(second.name());
      assertThat(take(pool, choice, 1, Set.of(), Set.of()).orElseThrow().worker())
          .isEqualTo(second.name());
      assertThat(take(pool, choice, 1, Set.of(), Set.of())).isEmpty();
    }
  }

  @Test
  void aWorkerThatIsAvoidedIsTakenOnlyIfItIsTheLast() throws InterruptedException {
    try (FarmWorker first = FarmWorker.start();
        FarmWorker second = FarmWorker.start();
        WorkerPool pool = WorkerPool.connect(first.name() + "," + second.name())) {
      awaitUp(pool, 2);
      Set<String> both = Set.of(first.name(), second.name());
      assertThat(take(pool, 1, Set.of(first.name()), Set.of()).orElseThrow().worker())
          .isEqualTo(second.name());
      assertThat(take(pool, 1, both, Set.of())).isPresent();
      assertThat(take(pool, 1, Set.of(), both)).isEmpty();
    }
  }

  @Test
  void aWorkerThatIsNotThereIsToldOfOnce() throws InterruptedException {
    FarmWorker worker = FarmWorker.start();
    worker.close();
    try (FarmNames names = FarmNames.register();
        WorkerPool pool = WorkerPool.connect(FarmNames.TARGET)) {
      Events events = Events.of(pool);
      names.set(worker);
      PoolEvent.WorkerMissing missing = events.await(PoolEvent.WorkerMissing.class);
      assertThat(missing.worker()).isEqualTo(worker.name());
      assertThat(missing.why()).contains("Connection refused");
      try (FarmWorker again = FarmWorker.at(worker.port())) {
        events.await(PoolEvent.WorkerUp.class);
        assertThat(again.name()).isEqualTo(missing.worker());
      }
      assertThat(events.seen()).filteredOn(PoolEvent.WorkerMissing.class::isInstance).hasSize(1);
    }
  }

  @Test
  void aNameThatIsNotResolvedIsTold() throws InterruptedException {
    try (FarmNames names = FarmNames.register();
        WorkerPool pool =
            WorkerPool.connect(
                FarmNames.TARGET, new PoolOptions().patience(Duration.ofMillis(600)))) {
      Events events = Events.of(pool);
      names.fail("no such host");
      PoolEvent.WorkerMissing missing = events.await(PoolEvent.WorkerMissing.class);
      assertThat(missing.worker()).isEqualTo(FarmNames.TARGET);
      assertThat(missing.why()).contains("no such host");
      try (PooledExtract extract =
          pool.extract(
              ExtractJob.of(ExtractSpec.getDefaultInstance()), List.of(), ResultOrder.OF_ITEMS)) {
        assertThatThrownBy(extract::hasNext)
            .isInstanceOf(IncompleteJobException.class)
            .hasMessageContaining("cannot be resolved: [" + FarmNames.TARGET + "]");
      }
    }
  }

  @Test
  void theEndOfThePoolIsNoLossOfItsWorkers() throws InterruptedException {
    try (FarmWorker worker = FarmWorker.start()) {
      WorkerPool pool = WorkerPool.connect(worker.name());
      awaitUp(pool, 1);
      Events events = Events.of(pool);
      pool.close();
      assertThat(events.awaitEnd()).noneMatch(PoolEvent.WorkerDown.class::isInstance);
    }
  }

  @Test
  void whatIsScheduledAfterTheEndIsDropped() {
    ScheduledThreadPoolExecutor scheduler = WorkerPool.scheduler();
    scheduler.shutdownNow();
    assertThat(scheduler.schedule(() -> {}, 0, TimeUnit.SECONDS).isDone()).isFalse();
  }

  @Test
  void aTargetWithoutWorkersIsRefused() {
    assertThatThrownBy(() -> WorkerPool.connect(" , "))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("HOST:PORT");
  }

  static Optional<Workforce.Place> take(
      WorkerPool pool, long tokens, Set<String> avoided, Set<String> excluded) {
    return take(pool, ANY, tokens, avoided, excluded);
  }

  private static Optional<Workforce.Place> take(
      WorkerPool pool,
      WorkerChoice choice,
      long tokens,
      Set<String> avoided,
      Set<String> excluded) {
    return inLoop(pool, workforce -> workforce.take(choice, tokens, avoided, excluded));
  }

  private static <T> T inLoop(WorkerPool pool, Function<Workforce, T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    pool.loop().execute(() -> done.complete(task.apply(pool.workforce())));
    return done.join();
  }

  /** Waits until so many workers are up. */
  static void awaitUp(WorkerPool pool, int count) {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (pool.workers().stream().filter(worker -> worker.description().isPresent()).count()
        < count) {
      assertThat(System.nanoTime()).as("%s", pool.workers()).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}

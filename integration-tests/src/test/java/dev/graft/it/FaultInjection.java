package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.WorkerPool;
import dev.graft.client.pool.WorkerState;
import dev.graft.v1.ExtractRequest;
import dev.graft.v1.ExtractResponse;
import dev.graft.v1.ExtractServiceGrpc;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Lets the faults of a schedule happen to a farm, and sees that they do: each strikes when its
 * worker has calls of the pool, and fails the test if it was without effect.
 */
final class FaultInjection implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 60;
  private static final int SLOW_BYTES_PER_SECOND = 100_000;

  private final FaultSchedule schedule;
  private final List<FarmMember> farm;
  private final WorkerPool pool;
  private final FarmLog log;
  private final ScheduledExecutorService threads;
  private final List<Future<?>> faults = new ArrayList<>();
  private final AtomicInteger waiting = new AtomicInteger();

  private FaultInjection(
      FaultSchedule schedule, List<FarmMember> farm, WorkerPool pool, FarmLog log) {
    this.schedule = schedule;
    this.farm = farm;
    this.pool = pool;
    this.log = log;
    this.threads = Executors.newScheduledThreadPool(schedule.faults().size());
  }

  static FaultInjection begin(
      FaultSchedule schedule, List<FarmMember> farm, WorkerPool pool, FarmLog log) {
    FaultInjection injection = new FaultInjection(schedule, farm, pool, log);
    for (Fault fault : schedule.faults()) {
      injection.faults.add(
          injection.threads.schedule(
              () -> injection.happen(fault), fault.atMillis(), TimeUnit.MILLISECONDS));
    }
    return injection;
  }

  /** Whether all faults have happened and ended. */
  boolean isOver() {
    return faults.stream().allMatch(Future::isDone);
  }

  /** Fails if a fault did not happen as it should. */
  void requireAllHappened() throws ExecutionException, InterruptedException {
    for (Future<?> fault : faults) {
      fault.get();
    }
  }

  private Void happen(Fault fault) throws Exception {
    if (fault.kind() == Fault.Kind.ROLLING_RESTART) {
      log.add("begins: " + fault);
      for (int i = 0; i < farm.size(); i++) {
        takingTurns(farm.get((fault.worker() + i) % farm.size()), this::replace);
      }
    } else {
      FarmMember member = schedule.trains() ? awaitBusiest() : farm.get(fault.worker());
      takingTurns(member, struck -> strike(struck, fault));
    }
    log.add("is over: " + fault);
    return null;
  }

  private interface Deed {
    void to(FarmMember member) throws Exception;
  }

  private static void takingTurns(FarmMember member, Deed deed) throws Exception {
    member.turn.lockInterruptibly();
    try {
      deed.to(member);
    } finally {
      member.turn.unlock();
    }
  }

  private void strike(FarmMember member, Fault fault) throws Exception {
    await("work for " + member.name(), () -> outstandingTokens(member) > 0);
    log.add("strikes %s: %s".formatted(member.name(), fault));
    switch (fault.kind()) {
      case KILL -> {
        member.process().kill();
        assertThat(member.process().exitCode()).isEqualTo(128 + 9);
        last(fault);
        member.startAgain();
      }
      case HANG -> {
        member.process().suspend();
        try {
          await("the process to stop", () -> member.process().isSuspended());
          last(fault);
        } finally {
          member.process().resume();
        }
      }
      case FINISH -> assertThat(member.connection().finish()).as("connections").isPositive();
      case CUT -> assertThat(member.connection().cut()).as("connections").isPositive();
      case RESET_IN_MESSAGE -> {
        CompletableFuture<Void> reset = member.connection().resetInMessage();
        await("a message to break off", reset::isDone);
      }
      case SLOW -> slowDown(member, fault);
      case EXHAUSTED -> takeAllCalls(member, fault);
      case ROLLING_RESTART -> throw new AssertionError("that is all workers' fault");
    }
  }

  private void replace(FarmMember member) throws Exception {
    await("work for " + member.name(), () -> outstandingTokens(member) > 0);
    member.process().terminate();
    assertThat(member.process().exitCode()).as("a drained worker").isZero();
    member.startAgain();
    await(member.name() + " to be up", () -> state(member).description().isPresent());
  }

  private void slowDown(FarmMember member, Fault fault) throws Exception {
    long before = member.connection().slowedBytes();
    member.connection().limit(SLOW_BYTES_PER_SECOND);
    try {
      last(fault);
      await("slow messages", () -> member.connection().slowedBytes() > before);
    } finally {
      member.connection().limit(0);
    }
  }

  /** Keeps all calls of the worker until the fault is over and the pool got none at least once. */
  private void takeAllCalls(FarmMember member, Fault fault) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(fault.millis());
    List<RawCall<ExtractRequest, ExtractResponse>> taken = new ArrayList<>();
    try {
      await(
          "the pool to be refused",
          () -> {
            taken.removeIf(RawCall::hasEnded);
            while (taken.size() < FarmMember.MOST_CALLS) {
              taken.add(
                  RawCall.open(member.process().channel(), ExtractServiceGrpc.getExtractMethod()));
            }
            return System.nanoTime() > end && log.has(event -> isRefusal(event, member));
          });
    } finally {
      taken.forEach(RawCall::cancel);
    }
  }

  private static boolean isRefusal(PoolEvent event, FarmMember member) {
    return (event instanceof PoolEvent.ShardRetried retried
            && retried.worker().equals(member.name())
            && retried.why().equals("TOO_MANY_CALLS"))
        || (event instanceof PoolEvent.TrainingMoved moved
            && moved.lost().equals(member.name())
            && moved.why().contains("calls under way"));
  }

  private FarmMember awaitBusiest() throws InterruptedException {
    await("work for any worker", () -> busiest().isPresent());
    return busiest().orElse(farm.get(0));
  }

  private Optional<FarmMember> busiest() {
    return farm.stream()
        .filter(member -> outstandingTokens(member) > 0)
        .max(Comparator.comparingLong(this::outstandingTokens));
  }

  private long outstandingTokens(FarmMember member) {
    return state(member).outstandingTokens();
  }

  private WorkerState state(FarmMember member) {
    return pool.workers().stream()
        .filter(worker -> worker.worker().equals(member.name()))
        .findFirst()
        .orElseThrow();
  }

  private static void last(Fault fault) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(fault.millis()); // a fault is something that takes time
  }

  private void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    waiting.incrementAndGet();
    try {
      while (!condition.getAsBoolean()) {
        assertThat(System.nanoTime()).as("waited for " + what).isLessThan(end);
        TimeUnit.MILLISECONDS.sleep(2);
      }
    } finally {
      waiting.decrementAndGet();
    }
  }

  /**
   * Lets new workers have the processor for a moment, unless a fault waits for a job to disturb.
   */
  void breathe() throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
    while (waiting.get() == 0 && !isOver() && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(2);
    }
  }

  /** Faults that go on come to their ends. */
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      assertThat(threads.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError("faults may go on", e);
    }
  }
}

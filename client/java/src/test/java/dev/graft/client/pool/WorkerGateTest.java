package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.Failures;
import dev.graft.client.GraftRpcException;
import dev.graft.v1.DescribeWorkerResponse;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a worker gets another call. */
class WorkerGateTest {
  private final List<PoolEvent> events = new ArrayList<>();
  private long now;

  private WorkerGate gate(PoolOptions options) {
    WorkerGate gate = new WorkerGate("worker", options, () -> now, events::add);
    gate.reset(FarmWorker.ordinary().build());
    return gate;
  }

  private static GraftRpcException refusal() {
    return Failures.exception(
        Status.Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", Duration.ofSeconds(3));
  }

  private static GraftRpcException lost() {
    return Failures.exception(Status.Code.UNAVAILABLE, "", Duration.ZERO);
  }

  @Test
  void callsAreCounted() {
    WorkerGate gate = gate(new PoolOptions().callsPerWorker(2));
    WorkerGate.Pass first = gate.enter(1).orElseThrow();
    assertThat(gate.enter(1)).isPresent();
    assertThat(gate.enter(1)).isEmpty();
    assertThat(gate.why()).isEqualTo("has the 2 calls that the pool gives it");
    first.abandoned();
    assertThat(gate.enter(1)).isPresent();
  }

  @Test
  void anInterruptedThreadGetsInAndStaysInterrupted() {
    WorkerGate gate = gate(new PoolOptions());
    Thread.currentThread().interrupt();
    try {
      assertThat(gate.enter(1)).isPresent();
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void aWorkerGetsTwoBatchesForEachOfItsLanes() {
    assertThat(calls(1, 512, 16_384)).isEqualTo(2);
    assertThat(calls(16, 2_048, 16_384)).isEqualTo(4); // of eight batches each
    assertThat(calls(3, 65_536, 16_384)).isEqualTo(6); // of less than one
    assertThat(calls(1_000, 512, 1)).isEqualTo(16);
    assertThat(calls(0, 0, 16_384)).as("not told").isEqualTo(2);
  }

  private int calls(int lanes, int tokensPerBatch, int shardTokens) {
    DescribeWorkerResponse.Builder worker = FarmWorker.ordinary();
    worker.getDeviceBuilder().setLanes(lanes);
    worker.getLimitsBuilder().setTokensPerBatch(tokensPerBatch);
    WorkerGate gate = gate(new PoolOptions().shards(shardTokens, 1_024));
    gate.reset(worker.build());
    return gate.calls();
  }

  @Test
  void callsOfAnEarlierProcessDoNotCount() {
    WorkerGate gate = gate(new PoolOptions().callsPerWorker(1));
    WorkerGate.Pass early = gate.enter(1).orElseThrow();
    gate.reset(FarmWorker.ordinary().build());
    assertThat(gate.enter(1)).isPresent();
    early.abandoned();
    assertThat(gate.enter(1)).isEmpty();
  }

  @Test
  void aWorkerThatRefusesIsLeftAloneForAsLongAsItAsks() {
    WorkerGate gate = gate(new PoolOptions());
    for (int i = 0; i < 10; i++) { // a breaker would open
      Duration pause = gate.enter(1).orElseThrow().failed(refusal());
      assertThat(pause).isGreaterThan(Duration.ofSeconds(3));
      now += Duration.ofSeconds(3).toNanos();
      assertThat(gate.enter(1)).isEmpty();
      assertThat(gate.why()).isEqualTo("refuses calls, as it has too many");
      now += pause.toNanos();
    }
    assertThat(events).isEmpty();
  }

  @Test
  void aWorkerThatComesBackIsAskedAtOnce() {
    WorkerGate gate = gate(new PoolOptions());
    gate.enter(1).orElseThrow().failed(refusal());
    assertThat(gate.enter(1)).isEmpty();
    gate.reset(FarmWorker.ordinary().build());
    assertThat(gate.enter(1)).isPresent();
  }

  @Test
  void aRateIsKeptByLettingNobodyInUntilTheDebtIsPaid() {
    WorkerGate gate = gate(new PoolOptions().workerTokensPerSecond(1));
    assertThat(gate.isHeldBack()).isFalse();
    gate.enter(1_000_000).orElseThrow().succeeded(); // a week and a half
    assertThat(gate.enter(1)).isEmpty();
    assertThat(gate.isHeldBack()).isTrue();
    assertThat(gate.why()).contains("rate limit");
  }

  @Test
  void failuresOpenTheCircuitBreaker() {
    WorkerGate gate = gate(new PoolOptions());
    for (int i = 0; i < 3; i++) {
      gate.enter(1).orElseThrow().failed(lost());
    }
    assertThat(gate.enter(1)).isEmpty();
    assertThat(gate.why()).contains("circuit breaker OPEN");
    assertThat(events).hasSize(1).first().isInstanceOf(PoolEvent.BreakerMoved.class);
    gate.reset(FarmWorker.ordinary().build());
    assertThat(gate.enter(1)).isPresent();
  }
}

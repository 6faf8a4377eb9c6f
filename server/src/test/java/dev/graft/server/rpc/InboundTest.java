package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.BytesValue;
import dev.graft.server.jobs.Job;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class InboundTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private final FakeAlarms alarms = new FakeAlarms();
  private final Calls calls = new Calls(1, alarms, TIMEOUT);
  private final FakeResponses<BytesValue> responses = new FakeResponses<>();
  private final SilentCall call = new SilentCall(responses, calls);

  @Test
  void aCallWithoutSpecMakesRoomForOthers() {
    call.enter();
    alarms.pass(TIMEOUT.minusNanos(1));
    assertThat(calls.size()).isEqualTo(1);
    alarms.pass(Duration.ofNanos(1));
    assertThat(calls.size()).isZero();
    assertThat(responses.error)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            error ->
                assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED))
        .hasMessageContaining("No spec came in the first 60 seconds");
    call.onNext(BytesValue.getDefaultInstance()); // too late
    assertThat(call.handled).isZero();
  }

  @Test
  void aCallWithSpecMayTakeItsTime() {
    call.enter();
    call.onNext(BytesValue.getDefaultInstance());
    alarms.pass(TIMEOUT.multipliedBy(100));
    assertThat(call.handled).isEqualTo(1);
    assertThat(calls.size()).isEqualTo(1);
    assertThat(responses.error).isNull();
  }

  @Test
  void whateverEndsACallSwitchesItsAlarmOff() {
    call.enter();
    assertThat(alarms.count()).isEqualTo(1);
    responses.cancel();
    assertThat(alarms.count()).isZero();
    SilentCall drained = new SilentCall(new FakeResponses<>(), calls);
    drained.enter();
    drained.drain();
    assertThat(alarms.count()).isZero();
  }

  @Test
  void aCallThatIsRefusedIsNotAwaited() {
    call.enter();
    FakeResponses<BytesValue> refused = new FakeResponses<>();
    new SilentCall(refused, calls).enter();
    assertThat(refused.error).hasMessageContaining("1 calls under way");
    assertThat(alarms.count()).isEqualTo(1);
  }

  /** Takes messages and does nothing. */
  private static final class SilentCall extends Inbound<BytesValue, BytesValue, Job> {
    private int handled;

    SilentCall(FakeResponses<BytesValue> responses, Calls calls) {
      super(responses, calls);
    }

    @Override
    void handle(BytesValue message) {
      handled++;
    }

    @Override
    void handleEnd() {}
  }
}

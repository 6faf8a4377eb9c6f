package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboundTest {
  private static final BytesValue SMALL = bytes(1);
  private static final BytesValue LARGE = bytes(3 << 20);

  private final FakeResponses<BytesValue> responses = new FakeResponses<>();
  private final Outbound<BytesValue> outbound = new Outbound<>(responses);
  private final List<String> events = new ArrayList<>();

  @Test
  void roomIsCountedInBytes() {
    for (int i = 0; i < 1000; i++) {
      outbound.send(SMALL);
    }
    outbound.whenRoom(() -> events.add("after small ones"));
    assertThat(events).hasSize(1);
    outbound.send(LARGE);
    outbound.send(LARGE);
    outbound.whenRoom(() -> events.add("after large ones"));
    responses.take(1000);
    assertThat(events).hasSize(1);
    responses.take(1);
    assertThat(events).containsExactly("after small ones", "after large ones");
    assertThat(responses.sent).hasSize(1001);
  }

  @Test
  void actionsRunOutsideTheLock() {
    outbound.send(LARGE);
    outbound.send(LARGE);
    outbound.whenRoom(() -> events.add("room, locked: " + Thread.holdsLock(outbound)));
    responses.take(1);
    outbound.complete(
        () -> {
          events.add("sent, locked: " + Thread.holdsLock(outbound));
          assertThat(responses.completed).isFalse();
        });
    responses.take(1);
    assertThat(events).containsExactly("room, locked: false", "sent, locked: false");
    assertThat(responses.completed).isTrue();
  }

  @Test
  void nobodyIsAskedForMoreAfterTheEnd() {
    outbound.send(LARGE);
    outbound.send(LARGE);
    outbound.whenRoom(() -> events.add("parked"));
    outbound.fail(new IllegalStateException("on purpose"));
    assertThat(responses.sent).hasSize(2);
    assertThat(responses.error).isNotNull();
    responses.take(2);
    outbound.send(SMALL);
    assertThat(events).isEmpty();
    assertThat(responses.sent).hasSize(2);
  }

  @Test
  void whatEndsACallRunsOnceAlsoWhereItsClientIsGone() {
    outbound.send(SMALL);
    outbound.complete(() -> events.add("completed, then gone"));
    assertThat(events).isEmpty();
    outbound.abandon();
    responses.take(1);
    outbound.abandon();
    assertThat(events).containsExactly("completed, then gone");
    assertThat(responses.completed).isFalse();

    Outbound<BytesValue> gone = new Outbound<>(new FakeResponses<>());
    gone.abandon();
    gone.complete(() -> events.add("gone, then completed"));
    assertThat(events).containsExactly("completed, then gone", "gone, then completed");
  }

  private static BytesValue bytes(int size) {
    return BytesValue.of(ByteString.copyFrom(new byte[size]));
  }
}

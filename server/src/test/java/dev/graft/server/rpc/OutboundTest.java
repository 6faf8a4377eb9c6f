package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutboundTest {
  private static final int FULL = 65;

  private final Transport transport = new Transport();
  private final Outbound<String> outbound = new Outbound<>(transport);

  @Test
  void allThatWaitForRoomAreTold() {
    fill();
    outbound.whenRoom(() -> transport.log.add("next step"));
    outbound.whenRoom(() -> transport.log.add("next request"));
    assertThat(transport.log).isEmpty();
    transport.takeAll();
    assertThat(transport.log).hasSize(FULL + 2).contains("next step", "next request");
    outbound.whenRoom(() -> transport.log.add("at once"));
    assertThat(transport.log).endsWith("at once");
  }

  @Test
  void aCompleteCallEndsWhenAllIsSent() {
    fill();
    outbound.complete(() -> transport.log.add("leave"));
    outbound.send("too late");
    assertThat(transport.log).isEmpty();
    transport.takeAll();
    assertThat(transport.log).hasSize(FULL + 2).endsWith("leave", "completed");
  }

  @Test
  void aCompleteCallThatIsCutShortStillEndsWell() {
    fill();
    outbound.complete(() -> {});
    outbound.fail(Calls.draining());
    assertThat(transport.log).hasSize(FULL + 1).endsWith("completed");
  }

  @Test
  void anErrorComesAfterWhatWaitsAndOnlyOnce() {
    fill();
    outbound.fail(Calls.draining());
    outbound.fail(Calls.draining());
    outbound.send("too late");
    assertThat(transport.log).hasSize(FULL + 1).endsWith("failed");
  }

  @Test
  void nothingIsSentToAClientThatIsGone() {
    fill();
    outbound.whenRoom(() -> transport.log.add("next step"));
    outbound.abandon();
    outbound.fail(Calls.draining());
    transport.takeAll();
    assertThat(transport.log).isEmpty();
  }

  private void fill() {
    for (int i = 0; i < FULL; i++) {
      outbound.send("message " + i);
    }
  }

  /** Takes nothing until it is told to. */
  private static final class Transport extends ServerCallStreamObserver<String> {
    private final List<String> log = new ArrayList<>();
    private Runnable onReady = () -> {};
    private boolean ready;

    void takeAll() {
      ready = true;
      onReady.run();
    }

    @Override
    public boolean isReady() {
      return ready;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {
      onReady = handler;
    }

    @Override
    public void onNext(String message) {
      log.add(message);
    }

    @Override
    public void onError(Throwable error) {
      log.add("failed");
    }

    @Override
    public void onCompleted() {
      log.add("completed");
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void setCompression(String compression) {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void disableAutoInboundFlowControl() {}
  }
}

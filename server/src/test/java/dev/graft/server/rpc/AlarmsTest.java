package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AlarmsTest {
  @Test
  void anAlarmThatFailsDoesNotStopOthers() throws Exception {
    CompletableFuture<String> thread = new CompletableFuture<>();
    try (Alarms.OnThread alarms = new Alarms.OnThread()) {
      alarms.set(Duration.ofDays(1), () -> thread.complete("too early")).switchOff();
      alarms.set(
          Duration.ZERO,
          () -> {
            throw new AssertionError("on purpose");
          });
      alarms.set(Duration.ZERO, () -> thread.complete(Thread.currentThread().getName()));
      assertThat(thread.get(20, TimeUnit.SECONDS)).isEqualTo("graft-alarms");
    }
  }
}

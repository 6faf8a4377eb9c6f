package dev.graft.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** A client and a fake worker for each test, and a check that no thread outlives it. */
@Timeout(60)
abstract class Scenarios {
  static final Duration PATIENCE = Duration.ofSeconds(20);

  final FakeWorker worker = new FakeWorker();
  private final Transport transport;
  private Transport.Connection connection;
  private GraftClient client;

  Scenarios(Transport transport) {
    this.transport = transport;
  }

  @BeforeEach
  void connect() {
    connection = transport.connect(worker.services());
  }

  @AfterEach
  void disconnect() throws InterruptedException {
    if (client != null) {
      client.close();
    }
    connection.stop().run();
    for (Thread thread : itemThreads()) {
      thread.join(PATIENCE.toMillis());
      assertThat(thread.isAlive()).as("%s is alive", thread).isFalse();
    }
  }

  GraftClient client() {
    if (client == null) {
      client = connection.client().build();
    }
    return client;
  }

  GraftClient.Builder clientBuilder() {
    return connection.client();
  }

  /** Uses another client than the default one in this test. */
  GraftClient use(GraftClient newClient) {
    client = newClient;
    return newClient;
  }

  static void await(CountDownLatch latch) throws InterruptedException {
    assertThat(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  /** Waits until no thread pulls items: their source is dry, or held back. */
  static void awaitIdleItemThreads() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (itemThreads().stream().anyMatch(Scenarios::isPulling)) {
      assertThat(System.nanoTime()).as("items are still pulled").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  private static boolean isPulling(Thread thread) {
    return Arrays.stream(thread.getStackTrace())
        .anyMatch(frame -> frame.getClassName().equals(RequestPump.class.getName()));
  }

  private static List<Thread> itemThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("graft-items-"))
        .toList();
  }
}

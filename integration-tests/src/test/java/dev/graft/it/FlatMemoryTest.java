package dev.graft.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A client with a heap that is too small for its results gets them all, for it holds but a few at a
 * time. {@code -Dgraft.farm.items=COUNT} says how many there are.
 */
class FlatMemoryTest {
  private static final long ITEMS = Long.getLong("graft.farm.items", 100_000);
  private static final int OUT_OF_MEMORY = 3; // as -XX:+ExitOnOutOfMemoryError ends

  private static WorkerProcess worker;
  private static WorkerProcess otherWorker;

  @BeforeAll
  static void startWorkers() throws Exception {
    worker = WorkerProcess.simulate(0, FlatMemoryClient.FEATURE_SIZE);
    otherWorker = WorkerProcess.simulate(0, FlatMemoryClient.FEATURE_SIZE);
  }

  @AfterAll
  static void stopWorkers() {
    worker.close();
    otherWorker.close();
  }

  @Test
  void aSmallHeapIsEnoughForAnyNumberOfItems() throws Exception {
    Client client = Client.run(Long.toString(ITEMS));
    assertThat(client.output()).isEqualTo(ITEMS + " results, 0 kept\n");
    assertThat(client.exitCode()).isZero();
  }

  @Test
  void thatHeapIsTooSmallForAllResults() throws Exception {
    Client client = Client.run("100000", FlatMemoryClient.KEEPING);
    assertThat(client.exitCode()).as(client.output()).isEqualTo(OUT_OF_MEMORY);
  }

  private record Client(int exitCode, String output) {
    static Client run(String... arguments) throws Exception {
      List<String> command =
          WorkerProcess.java(
              FlatMemoryClient.class,
              "-Xmx48m",
              "-XX:MaxDirectMemorySize=32m",
              "-XX:+UseSerialGC",
              "-XX:+ExitOnOutOfMemoryError");
      command.add(worker.address() + "," + otherWorker.address());
      command.addAll(List.of(arguments));
      Path output = Path.of("target", "flat-memory.out");
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(output.toFile())
              .redirectError(Path.of("target", "flat-memory.log").toFile())
              .start();
      try {
        assertThat(process.waitFor(10, TimeUnit.MINUTES)).as("the client ends").isTrue();
        return new Client(process.exitValue(), Files.readString(output, UTF_8));
      } finally {
        process.destroyForcibly();
      }
    }
  }
}

package dev.graft.it.spark;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.client.GraftClient;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code graft serve} on any free port, with the class path of the command and not of Spark. */
final class WorkerProcess implements AutoCloseable {
  private static final Path COMMAND = Path.of("..", "..", "client", "cli", "target");
  private static final Pattern LISTENING = Pattern.compile("listening on (\\S+:\\d+)");
  private static final long PATIENCE_SECONDS = 60;

  private final Process process;
  private final String address;
  private final GraftClient client;

  private WorkerProcess(Process process, String address) {
    this.process = process;
    this.address = address;
    this.client = GraftClient.connect(address);
  }

  static WorkerProcess serve(Path modelRoot) throws Exception {
    Path classPath = COMMAND.resolve("worker.classpath");
    assertThat(classPath).as("written by the module client/cli when it is tested").exists();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                COMMAND.resolve("classes") + File.pathSeparator + Files.readString(classPath),
                "dev.graft.cli.Main",
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--lanes",
                "1",
                // Measured on a loaded machine, workers might come to different ones.
                "--kernel",
                "mkl",
                "--model-root",
                modelRoot.toString())
            .redirectError(Path.of("target", "serve.log").toFile())
            .start();
    try {
      String line =
          CompletableFuture.supplyAsync(() -> firstLine(process))
              .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      Matcher listening = LISTENING.matcher(line);
      assertThat(listening.matches()).as(line).isTrue();
      return new WorkerProcess(process, listening.group(1));
    } catch (Exception | AssertionError failed) {
      process.destroyForcibly();
      throw failed;
    }
  }

  private static String firstLine(Process process) {
    try {
      BufferedReader out = process.inputReader(UTF_8);
      return String.valueOf(out.readLine());
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  static String addresses(List<WorkerProcess> workers) {
    return String.join(",", workers.stream().map(worker -> worker.address).toList());
  }

  boolean isAtWork() {
    return client.describe().getActiveCalls() > 0;
  }

  /** SIGKILL. */
  @Override
  public void close() {
    client.close();
    process.destroyForcibly();
  }
}

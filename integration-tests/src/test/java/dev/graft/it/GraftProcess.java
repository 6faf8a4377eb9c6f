package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The command in a process of its own. */
final class GraftProcess implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 120;

  private final Process process;
  private final Path log;

  private GraftProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /** Starts a command in a directory; what it says goes to a file there. */
  static GraftProcess start(Path directory, String... arguments) throws IOException {
    return start(directory, Map.of(), arguments);
  }

  /** The same, with variables that its environment has besides this process's. */
  static GraftProcess start(Path directory, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                // Tests that run in the background of a shell hand down that Ctrl-C is ignored.
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    command.addAll(List.of(arguments));
    Path log = Files.createTempFile(directory, "graft-", ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    return new GraftProcess(builder.start(), log);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** What it has said so far. */
  String said() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Ctrl-C. */
  void interrupt() throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
    assertThat(kill.waitFor()).isZero();
  }

  /** Waits for its end. */
  GraftProcess succeeds() throws InterruptedException {
    return endsWith(0);
  }

  /** Waits for its end. */
  GraftProcess fails() throws InterruptedException {
    return endsWith(1);
  }

  /** Waits for its end. */
  GraftProcess endsWith(int exitCode) throws InterruptedException {
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as(this::said).isTrue();
    assertThat(process.exitValue()).as(this::said).isEqualTo(exitCode);
    return this;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}

package dev.graft.cli;

import dev.graft.cli.progress.Terminal;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;

/** Where the process starts. */
public final class Main {
  /** Exit code after Ctrl-C, as shells have it: 128 + SIGINT. */
  static final int INTERRUPTED = 130;

  /** Longer than a worker's grace period, so that `serve` can drain. */
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private Main() {}

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] args) {
    Interruption interruption = new Interruption();
    interruption.install(PATIENCE);
    Surroundings surroundings =
        new Surroundings(
            utf8(FileDescriptor.out),
            utf8(FileDescriptor.err),
            Terminal.detect(),
            Clock.systemUTC(),
            interruption,
            LocalWorker::start);
    int code = GraftCommand.run(surroundings, args);
    surroundings.out().flush();
    interruption.ended(code);
    System.exit(code);
  }

  /** Whatever the locale is: results are scripted, and JSON is UTF-8. */
  private static PrintStream utf8(FileDescriptor stream) {
    return new PrintStream(
        new BufferedOutputStream(new FileOutputStream(stream)), true, StandardCharsets.UTF_8);
  }
}

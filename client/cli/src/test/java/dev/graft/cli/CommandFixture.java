package dev.graft.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.graft.cli.progress.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Commands that run in a directory of the test's, with a fake worker for one of their own. */
abstract class CommandFixture {
  @TempDir Path directory;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  final FakeWorker worker = new FakeWorker();
  final Interruption interruption = new Interruption();
  Terminal terminal = Terminal.none();
  Clock clock = Clock.systemUTC();

  @BeforeEach
  void makeBackbone() throws IOException {
    Files.createDirectory(directory.resolve("model"));
  }

  /** Runs a command line whose file names are in the test's directory. */
  int run(String line) {
    Surroundings surroundings =
        new Surroundings(
            new PrintStream(out, true, UTF_8),
            new PrintStream(err, true, UTF_8),
            terminal,
            clock,
            interruption,
            worker::start);
    List<String> files =
        List.of(
            "--backbone",
            "--input",
            "--output",
            "--train",
            "--eval",
            "--bundle",
            "--model_root",
            "--compare");
    String[] args = line.isEmpty() ? new String[0] : line.split(" ");
    boolean remote = line.contains("--worker") || line.contains("hf://");
    for (int at = 1; at < args.length; at++) {
      if (files.contains(args[at - 1]) && !(remote && args[at - 1].equals("--backbone"))) {
        args[at] = directory.resolve(args[at]).toString();
      }
    }
    return GraftCommand.run(surroundings, args);
  }

  void write(String name, String content) throws IOException {
    Files.writeString(directory.resolve(name), content);
  }

  /** A file of the test's directory. */
  String path(String name) {
    return directory.resolve(name).toString();
  }

  String out() {
    return out.toString(UTF_8);
  }

  String err() {
    return err.toString(UTF_8);
  }

  List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}

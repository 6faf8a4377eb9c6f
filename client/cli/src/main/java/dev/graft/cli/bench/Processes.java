package dev.graft.cli.bench;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Command lines of the processes that measure. */
final class Processes {
  private final Path directory;
  private final Optional<Path> python;
  private Measurement idle;

  /**
   * @param directory where files for them are written
   * @param python runs the baselines
   */
  Processes(Path directory, Optional<Path> python) {
    this.directory = directory;
    this.python = python;
  }

  Path directory() {
    return directory;
  }

  boolean hasPython() {
    return python.isPresent();
  }

  /**
   * The types to compare in: fp32, and bf16 where a worker on this machine computes so by default.
   */
  List<String> dtypes() throws IOException, InterruptedException {
    return idle().text("dtype").equals("BF16") ? List.of("fp32", "bf16") : List.of("fp32");
  }

  /** A worker without a backbone. */
  private Measurement idle() throws IOException, InterruptedException {
    if (idle == null) {
      idle = Measurement.of(own("idle"));
    }
    return idle;
  }

  /** Whether the baselines' Python has a module. */
  boolean pythonHas(String module) throws InterruptedException {
    if (python.isEmpty()) {
      return false;
    }
    return succeeds(List.of(python.get().toString(), "-c", "import " + module));
  }

  /** Whether a command can be run and ends well. */
  static boolean succeeds(List<String> command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false; // no such program
    }
  }

  /** A measurement of {@link MeasureMain}, with the options that bin/graft gave this JVM. */
  List<String> own(String what, String... options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(MeasureMain.class.getName(), what));
    command.addAll(List.of(options));
    return command;
  }

  /** A way of {@code baseline.py}, on the device that a worker takes here. */
  List<String> baseline(String way, String... options) throws IOException, InterruptedException {
    Path script = directory.resolve("baseline.py");
    if (!Files.exists(script)) {
      try (InputStream in = Processes.class.getResourceAsStream("baseline.py")) {
        Files.copy(in, script);
      }
    }
    List<String> command = new ArrayList<>();
    command.addAll(List.of(python.orElseThrow().toString(), script.toString(), way));
    command.addAll(List.of("--device", idle().text("device")));
    command.addAll(List.of(options));
    return command;
  }
}

package dev.graft.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A bound on a process's memory, the pages of files that it reads included. {@code ulimit -v} would
 * not do: it counts addresses, of which a JVM and mapped weights take more than memory.
 */
sealed interface MemoryLimit extends AutoCloseable {
  /** Runs a command under the limit. */
  List<String> around(List<String> command);

  /** What the limit is made of. */
  String description();

  /** Takes the limit away again; no process may be under it. */
  @Override
  void close() throws IOException;

  /** What this machine lets this user do: a control group, or systemd-run; empty where neither. */
  static Optional<MemoryLimit> of(long bytes) throws IOException, InterruptedException {
    Optional<MemoryLimit> group = ControlGroup.create(bytes);
    return group.isPresent() ? group : SystemdScope.create(bytes);
  }

  /** A group below that of this process. */
  record ControlGroup(Path directory) implements MemoryLimit {
    private static final Path MOUNT = Path.of("/sys/fs/cgroup");

    static Optional<MemoryLimit> create(long bytes) throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/self/cgroup"))) {
        // hierarchy:controllers:path; version 2 is hierarchy 0
        String[] fields = line.split(":", 3);
        Optional<MemoryLimit> group = Optional.empty();
        if (List.of(fields[1].split(",")).contains("memory")) {
          group =
              create(
                  MOUNT.resolve("memory").resolve("." + fields[2]), "memory.limit_in_bytes", bytes);
        } else if (fields[0].equals("0")) {
          group = create(MOUNT.resolve("." + fields[2]), "memory.max", bytes);
        }
        if (group.isPresent()) {
          return group;
        }
      }
      return Optional.empty();
    }

    private static Optional<MemoryLimit> create(Path parent, String limitFile, long bytes) {
      Path group = parent.normalize().resolve("graft-bench-" + ProcessHandle.current().pid());
      try {
        Files.createDirectory(group);
      } catch (IOException e) {
        return Optional.empty(); // not ours to make groups in
      }
      try {
        if (Files.exists(group.resolve(limitFile))) {
          Files.writeString(group.resolve(limitFile), "" + bytes);
          return Optional.of(new ControlGroup(group));
        }
        Files.delete(group); // memory is not under its control
      } catch (IOException e) {
        group.toFile().delete();
      }
      return Optional.empty();
    }

    @Override
    public List<String> around(List<String> command) {
      List<String> whole = new ArrayList<>();
      whole.addAll(List.of("sh", "-c", "echo $$ >\"$0\" && exec \"$@\""));
      whole.add(directory.resolve("cgroup.procs").toString());
      whole.addAll(command);
      return whole;
    }

    @Override
    public String description() {
      return "control group " + directory;
    }

    @Override
    public void close() throws IOException {
      Files.delete(directory);
    }
  }

  /** A scope that systemd makes. */
  record SystemdScope(List<String> prefix) implements MemoryLimit {
    public SystemdScope {
      prefix = List.copyOf(prefix);
    }

    static Optional<MemoryLimit> create(long bytes) throws IOException, InterruptedException {
      for (String whose : List.of("--user", "--system")) {
        SystemdScope scope =
            new SystemdScope(
                List.of(
                    "systemd-run",
                    whose,
                    "--scope",
                    "--quiet",
                    "--property=MemoryMax=" + bytes,
                    "--property=MemorySwapMax=0"));
        if (Processes.succeeds(scope.around(List.of("true")))) {
          return Optional.of(scope);
        }
      }
      return Optional.empty();
    }

    @Override
    public List<String> around(List<String> command) {
      List<String> whole = new ArrayList<>(prefix);
      whole.addAll(command);
      return whole;
    }

    @Override
    public String description() {
      return "systemd-run";
    }

    @Override
    public void close() {}
  }
}

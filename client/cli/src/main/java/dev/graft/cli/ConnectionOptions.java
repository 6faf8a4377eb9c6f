package dev.graft.cli;

import dev.graft.server.hub.HubReference;
import dev.graft.server.hub.HubSettings;
import dev.graft.server.rpc.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Which worker, or workers, a command talks to. */
class ConnectionOptions {
  private static final String LOOPBACK = "127.0.0.1";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = {"--workers", "--worker"},
      paramLabel = "HOST:PORT[,...]",
      description = {
        "Running workers, with commas between them, or a name such as dns:///NAME:PORT, each"
            + " address of which is one.",
        "Without it the command starts one of its own on a free port and stops it at the end."
      })
  private Optional<String> workers = Optional.empty();

  @Mixin private DeviceOptions device;

  /** Whether the worker is the command's own. */
  boolean isOwn() {
    return workers.isEmpty();
  }

  /** The workers that are named; none if the worker is the command's own. */
  List<String> targets() {
    if (workers.isEmpty()) {
      return List.of();
    }
    if (device.isGiven()) {
      throw wrong(
          "--device, --lanes, --kernel and --weights-memory are for a worker of the command's own,"
              + " not with --workers");
    }
    List<String> targets =
        Arrays.stream(workers.get().split(",")).map(String::strip).distinct().toList();
    targets.forEach(this::requireTarget);
    return targets;
  }

  /**
   * Connects to the one worker of a command that has it write, started first if it is the command's
   * own.
   *
   * @param backbone what an own worker may read, as {@link #backbonePath} gives it
   * @param writableRoots where an own worker may write, and read what it wrote
   */
  WorkerSession connect(
      Surroundings surroundings, Optional<String> backbone, List<Path> writableRoots)
      throws IOException {
    List<String> targets = targets();
    if (targets.isEmpty()) {
      return start(surroundings, backbone, writableRoots);
    }
    if (targets.size() > 1) {
      throw wrong(
          spec.name() + " is one worker's work, --workers names " + targets.size() + ": name one");
    }
    return WorkerSession.remote(targets.get(0));
  }

  /** Starts a worker of the command's own and connects to it. */
  WorkerSession start(
      Surroundings surroundings, Optional<String> backbone, List<Path> writableRoots)
      throws IOException {
    WorkerOptions options =
        new WorkerOptions()
            .listen(LOOPBACK, 0)
            .modelRoots(Stream.concat(roots(backbone).stream(), writableRoots.stream()).toList())
            .writableRoots(writableRoots);
    device.applyTo(options);
    if (backbone.filter(HubReference::isReference).isPresent()) {
      options.hub(Optional.of(HubSettings.of(System.getenv())));
    }
    EmbeddedWorker own = surroundings.workers().start(options);
    return WorkerSession.own(own, LOOPBACK + ":" + own.port());
  }

  private void requireTarget(String target) {
    if (target.matches("[a-z][a-z0-9+.-]*:///?.+")) {
      return; // any name that gRPC resolves
    }
    try {
      HostAndPort.parse(target);
    } catch (TypeConversionException e) {
      throw wrong(
          "--workers must be HOST:PORT, several with commas between them, or dns:///NAME:PORT: "
              + e.getMessage());
    }
  }

  ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** What the worker is told as the backbone's path: an own one shares the file system. */
  String backbonePath(String given) throws IOException {
    if (!isOwn() || HubReference.isReference(given)) {
      return given;
    }
    Path place = Path.of(given);
    if (!Files.isDirectory(place) && !isGgufFile(place)) {
      throw new CommandFailure(
          given
              + ": no such directory; --backbone names a directory with a model's files, a .gguf"
              + " file, or hf://organization/name");
    }
    return place.toRealPath().toString();
  }

  private static List<Path> roots(Optional<String> backbone) {
    return backbone.filter(path -> !HubReference.isReference(path)).map(Path::of).stream()
        .map(place -> isGgufFile(place) ? place.getParent() : place)
        .toList();
  }

  private static boolean isGgufFile(Path place) {
    return FileTypes.hasExtension(place, ".gguf") && Files.isRegularFile(place);
  }
}

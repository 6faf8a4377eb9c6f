package dev.graft.cli;

import dev.graft.server.hub.HubReference;
import dev.graft.server.hub.HubSettings;
import dev.graft.server.rpc.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which worker a command talks to. */
final class ConnectionOptions {
  private static final String LOOPBACK = "127.0.0.1";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--worker",
      paramLabel = "HOST:PORT",
      description =
          "A running worker. Without it the command starts one of its own on a free port and stops it at the end.")
  private Optional<String> worker = Optional.empty();

  @Mixin private DeviceOptions device;

  /** Whether the worker is the command's own. */
  boolean isOwn() {
    return worker.isEmpty();
  }

  /**
   * Connects to the worker, started first if it is the command's own.
   *
   * @param backbone what an own worker may read, as {@link #backbonePath} gives it
   */
  WorkerSession connect(Surroundings surroundings, Optional<String> backbone) throws IOException {
    return connect(surroundings, backbone, List.of());
  }

  /**
   * The same for a command that has the worker write.
   *
   * @param writableRoots where an own worker may write
   */
  WorkerSession connect(
      Surroundings surroundings, Optional<String> backbone, List<Path> writableRoots)
      throws IOException {
    if (worker.isPresent()) {
      if (device.isGiven()) {
        throw new ParameterException(
            spec.commandLine(),
            "--device, --lanes and --kernel are for a worker of the command's own, not with --worker");
      }
      requireHostAndPort(worker.get());
      return WorkerSession.remote(worker.get());
    }
    WorkerOptions options =
        new WorkerOptions()
            .listen(LOOPBACK, 0)
            .modelRoots(roots(backbone))
            .writableRoots(writableRoots);
    device.applyTo(options);
    if (backbone.filter(HubReference::isReference).isPresent()) {
      options.hub(Optional.of(HubSettings.of(System.getenv())));
    }
    EmbeddedWorker own = surroundings.workers().start(options);
    return WorkerSession.own(own, LOOPBACK + ":" + own.port());
  }

  private void requireHostAndPort(String target) {
    if (!target.matches("(.+:[0-9]{1,5}|[a-z]+:///?.+)")) {
      throw new ParameterException(
          spec.commandLine(), "--worker must be HOST:PORT, it is '" + target + "'");
    }
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
              + ": no such directory; --backbone names a directory with a model's files, a .gguf file, or"
              + " hf://organization/name");
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

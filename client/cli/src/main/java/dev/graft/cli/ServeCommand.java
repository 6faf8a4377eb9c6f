package dev.graft.cli;

import dev.graft.v1.ComputeDtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code graft serve}. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a worker until it is told to stop (Ctrl-C, SIGTERM).",
      "Prints `listening on HOST:PORT` on the standard output once it serves."
    })
final class ServeCommand implements Callable<Integer> {
  @ParentCommand private GraftCommand graft;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      converter = HostAndPort.Converter.class,
      defaultValue = "127.0.0.1:8470",
      description = "Address to listen on; port 0 means any free one. Default: ${DEFAULT-VALUE}.")
  private HostAndPort listen;

  @Option(
      names = "--model-root",
      paramLabel = "DIR",
      description =
          "Directory under which backbones lie; can be repeated. Nothing outside is read.")
  private List<Path> modelRoots = new ArrayList<>();

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "Where to compute: auto, cpu or cuda:N. Default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(
      names = "--lanes",
      paramLabel = "COUNT",
      description = "Batches computed at the same time. Default: what suits the device.")
  private Optional<Integer> lanes = Optional.empty();

  @Option(
      names = "--compute-dtype",
      paramLabel = "NAME",
      converter = Choice.OfComputeDtype.class,
      completionCandidates = Choice.OfComputeDtype.class,
      description =
          "What `auto` of a call stands for: ${COMPLETION-CANDIDATES}. Default: auto, measured at start.")
  private ComputeDtype computeDtype = ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED;

  @SuppressWarnings("try") // the registration is held open, not used
  @Override
  public Integer call() throws IOException, InterruptedException {
    Surroundings surroundings = graft.surroundings();
    List<Path> roots = new ArrayList<>();
    for (Path root : modelRoots) {
      if (!Files.isDirectory(root)) {
        throw new CommandFailure(
            root + ": no such directory; --model-root names one with backbones");
      }
      roots.add(root.toRealPath());
    }
    if (roots.isEmpty()) {
      surroundings
          .err()
          .println(
              "no --model-root: this worker trains on precomputed features, and loads no backbone");
    }
    EmbeddedWorker.Settings settings =
        new EmbeddedWorker.Settings(
            listen.host(),
            listen.port(),
            roots,
            device,
            lanes.map(OptionalInt::of).orElse(OptionalInt.empty()),
            computeDtype);
    try (EmbeddedWorker worker = surroundings.workers().start(settings);
        Interruption.Registration stop = surroundings.interruption().onInterrupt(worker::drain)) {
      surroundings.out().println("listening on " + listen.withPort(worker.port()));
      surroundings.out().flush();
      worker.awaitTermination();
    }
    return 0;
  }
}

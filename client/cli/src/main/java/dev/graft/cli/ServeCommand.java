package dev.graft.cli;

import dev.graft.server.hub.HubSettings;
import dev.graft.server.rpc.WorkerOptions;
import dev.graft.v1.ComputeDtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
      names = "--hub",
      description = {
        "Lets every caller name backbones on the Hugging Face Hub (hf://ORG/NAME), which the worker fetches with its own token.",
        "HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE mean what they do in Python."
      })
  private boolean hub;

  @Option(
      names = "--writable-root",
      paramLabel = "DIR",
      description =
          "Directory under which quantized backbones may be written; can be repeated. Default: none, they are only sent back.")
  private List<Path> writableRoots = new ArrayList<>();

  @Mixin private DeviceOptions device;

  @Option(
      names = "--compute-dtype",
      paramLabel = "NAME",
      converter = Choice.OfComputeDtype.class,
      completionCandidates = Choice.OfComputeDtype.class,
      description =
          "What `auto` of a call stands for: ${COMPLETION-CANDIDATES}. Default: auto, measured at start.")
  private ComputeDtype computeDtype = ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED;

  @Option(
      names = "--tokens-per-batch",
      paramLabel = "COUNT",
      description = "Most tokens of a batch. Default: what suits the device.")
  private Optional<Integer> tokensPerBatch = Optional.empty();

  @Option(
      names = "--cache-directory",
      paramLabel = "DIR",
      description =
          "Where computed features are kept between runs. Default: nowhere, only in memory.")
  private Optional<Path> cacheDirectory = Optional.empty();

  @Option(
      names = "--max-concurrent-calls",
      paramLabel = "COUNT",
      description = "Extract, Train and Quantize calls at the same time. Default: 64.")
  private Optional<Integer> maxConcurrentCalls = Optional.empty();

  @Option(
      names = "--max-message-bytes",
      paramLabel = "BYTES",
      description = "Largest message, in both directions. Default: 1048576.")
  private Optional<Integer> maxMessageBytes = Optional.empty();

  @Option(
      names = "--drain-grace",
      paramLabel = "SECONDS",
      description =
          "How long running calls may go on when the worker is told to stop. Default: 20.")
  private Optional<Integer> drainGraceSeconds = Optional.empty();

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
    for (Path root : writableRoots) {
      if (!Files.isDirectory(root)) {
        throw new CommandFailure(
            root + ": no such directory; --writable-root names one to write backbones under");
      }
    }
    if (roots.isEmpty() && !hub) {
      surroundings
          .err()
          .println(
              "no --model-root: this worker trains on precomputed features, and loads no backbone");
    }
    try (EmbeddedWorker worker = surroundings.workers().start(options(roots));
        Interruption.Registration stop = surroundings.interruption().onInterrupt(worker::drain)) {
      surroundings.out().println("listening on " + listen.withPort(worker.port()));
      surroundings.out().flush();
      worker.awaitTermination();
    }
    return 0;
  }

  private WorkerOptions options(List<Path> roots) {
    WorkerOptions options =
        new WorkerOptions()
            .listen(listen.host(), listen.port())
            .modelRoots(roots)
            .writableRoots(writableRoots)
            .computeDtype(preferredComputeDtype())
            .cacheDirectory(cacheDirectory);
    if (hub) {
      options.hub(Optional.of(HubSettings.of(System.getenv())));
    }
    device.applyTo(options);
    tokensPerBatch.ifPresent(options::tokensPerBatch);
    maxConcurrentCalls.ifPresent(options::maxConcurrentCalls);
    maxMessageBytes.ifPresent(options::maxMessageBytes);
    drainGraceSeconds.map(Duration::ofSeconds).ifPresent(options::drainGrace);
    return options;
  }

  private Optional<dev.graft.server.torch.ComputeDtype> preferredComputeDtype() {
    return switch (computeDtype) {
      case COMPUTE_DTYPE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
      case COMPUTE_DTYPE_FP32 -> Optional.of(dev.graft.server.torch.ComputeDtype.FP32);
      case COMPUTE_DTYPE_BF16 -> Optional.of(dev.graft.server.torch.ComputeDtype.BF16);
      case COMPUTE_DTYPE_FP16 -> Optional.of(dev.graft.server.torch.ComputeDtype.FP16);
      case COMPUTE_DTYPE_INT8_DYNAMIC ->
          Optional.of(dev.graft.server.torch.ComputeDtype.INT8_DYNAMIC);
    };
  }
}

package dev.graft.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.cli.bundle.EnumNames;
import dev.graft.cli.bundle.ProtoJson;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.LoadedBackbone;
import dev.graft.v1.MeasuredKernel;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code graft describe}. */
@Command(
    name = "describe",
    mixinStandardHelpOptions = true,
    description = "Tells about a worker: device, limits, backbones, what it supports.")
final class DescribeCommand implements Callable<Integer> {
  private static final double MIB = 1 << 20;

  @ParentCommand private GraftCommand graft;
  @Mixin private ConnectionOptions worker;

  @Option(names = "--json", description = "Prints everything as one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Surroundings surroundings = graft.surroundings();
    DescribeWorkerResponse description;
    try (WorkerSession session = worker.connect(surroundings, Optional.empty())) {
      description = session.description();
    }
    if (json) {
      surroundings
          .out()
          .println(
              new ObjectMapper()
                  .writerWithDefaultPrettyPrinter()
                  .writeValueAsString(ProtoJson.toJson(description)));
    } else {
      print(surroundings.out(), description);
    }
    return 0;
  }

  private static void print(PrintStream out, DescribeWorkerResponse worker) {
    out.printf(
        "graft worker %s%s%n", worker.getVersion(), worker.getDraining() ? ", draining" : "");
    out.printf(
        "device: %s, %d lanes, %.0f of %.0f MiB free%n",
        worker.getDevice().getName(),
        worker.getDevice().getLanes(),
        worker.getDevice().getFreeMemoryBytes() / MIB,
        worker.getDevice().getTotalMemoryBytes() / MIB);
    for (MeasuredKernel kernel : worker.getMeasuredKernelsList()) {
      out.printf(
          "  %s with %s: %.0f GFLOP/s a lane%s%n",
          EnumNames.name(kernel.getComputeDtype().getValueDescriptor()),
          kernel.getKernel(),
          kernel.getGflops(),
          kernel.getChosen() ? " (chosen)" : "");
    }
    out.println(
        "compute dtypes, auto first: "
            + worker.getComputeDtypesList().stream()
                .map(dtype -> EnumNames.name(dtype.getValueDescriptor()))
                .collect(Collectors.joining(", ")));
    out.printf(
        "limits: %d bytes a message, %d tokens a batch, %d calls at a time (%d under way)%n",
        worker.getLimits().getMaxMessageBytes(),
        worker.getLimits().getTokensPerBatch(),
        worker.getLimits().getMaxConcurrentCalls(),
        worker.getActiveCalls());
    out.println("architectures: " + String.join(", ", worker.getSupportedArchitecturesList()));
    out.println("model roots: " + String.join(", ", worker.getModelRootsList()));
    out.println("backbones in memory: " + worker.getLoadedBackbonesCount());
    for (LoadedBackbone backbone : worker.getLoadedBackbonesList()) {
      out.printf(
          "  %s: %s, %d parameters, %.0f MiB, %d blocks, features of %d, up to %d tokens%n",
          backbone.getPath(),
          backbone.getModelType(),
          backbone.getParameters(),
          backbone.getBytes() / MIB,
          backbone.getBlocks(),
          backbone.getHiddenSize(),
          backbone.getMaxTokens());
    }
  }
}

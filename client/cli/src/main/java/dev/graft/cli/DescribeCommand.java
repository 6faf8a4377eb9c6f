package dev.graft.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.cli.bundle.EnumNames;
import dev.graft.cli.bundle.ProtoJson;
import dev.graft.client.pool.WorkerState;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.LoadedBackbone;
import dev.graft.v1.MeasuredKernel;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
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
    description =
        "Tells about a worker, or each of several: device, limits, backbones, what it supports.")
final class DescribeCommand implements Callable<Integer> {
  private static final double MIB = 1 << 20;

  @ParentCommand private GraftCommand graft;
  @Mixin private ConnectionOptions worker;

  @Option(names = "--json", description = "Prints everything as one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Surroundings surroundings = graft.surroundings();
    List<String> targets = worker.targets();
    if (targets.size() > 1 || targets.stream().anyMatch(target -> target.contains("://"))) {
      return describe(Farm.roll(String.join(",", targets)), surroundings);
    }
    DescribeWorkerResponse description;
    try (WorkerSession session = worker.connect(surroundings, Optional.empty(), List.of())) {
      description = session.description();
    }
    if (json) {
      printJson(surroundings.out(), ProtoJson.toJson(description));
    } else {
      print(surroundings.out(), description);
    }
    return 0;
  }

  /** One after the other; those that are not there make it a failure. */
  private int describe(List<WorkerState> workers, Surroundings surroundings) throws IOException {
    if (json) {
      ArrayNode all = JsonNodeFactory.instance.arrayNode();
      for (WorkerState state : workers) {
        ObjectNode one = all.addObject().put("worker", state.worker());
        state.description().map(ProtoJson::toJson).ifPresent(one::setAll);
      }
      printJson(surroundings.out(), all);
    } else {
      for (WorkerState state : workers) {
        surroundings.out().println(state.worker());
        state.description().ifPresent(known -> print(surroundings.out(), known));
        surroundings
            .out()
            .println(
                state.description().isPresent() ? "" : "not reached: " + state.whyDown() + "\n");
      }
    }
    List<String> missing =
        workers.stream()
            .filter(state -> state.description().isEmpty())
            .map(WorkerState::worker)
            .toList();
    if (workers.isEmpty() || !missing.isEmpty()) {
      throw new CommandFailure(
          "not reached: "
              + (missing.isEmpty()
                  ? "any worker, the name has no address"
                  : String.join(", ", missing)));
    }
    return 0;
  }

  private static void printJson(PrintStream out, JsonNode node) throws IOException {
    out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(node));
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

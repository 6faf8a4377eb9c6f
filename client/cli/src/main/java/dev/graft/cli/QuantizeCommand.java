package dev.graft.cli;

import dev.graft.cli.output.PartialDirectory;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code graft quantize}. */
@Command(
    name = "quantize",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Makes a quantized copy of a backbone, or with --scheme none an unquantized one.",
      "The copy is a directory that transformers loads as it is, with the source's tokenizer. It appears when it is whole."
    })
final class QuantizeCommand implements Callable<Integer> {
  @ParentCommand private GraftCommand graft;
  @Mixin private ConnectionOptions worker;

  @Option(
      names = "--backbone",
      required = true,
      paramLabel = "DIR",
      description = "The model: a directory, with --worker under one of its model roots.")
  private String backbone;

  @Option(
      names = "--scheme",
      required = true,
      paramLabel = "NAME",
      converter = Choice.OfScheme.class,
      completionCandidates = Choice.OfScheme.class,
      description = "How weights are stored: ${COMPLETION-CANDIDATES}.")
  private QuantizationScheme scheme;

  @Option(names = "--double-quant", description = "nf4 and fp4: quantizes the scales too.")
  private boolean doubleQuantization;

  @Option(
      names = {"--blocksize", "--block-size"},
      paramLabel = "COUNT",
      description =
          "nf4 and fp4: values that share a scale, a power of two from 32 to 4096. Default: 64.")
  private int blockSize;

  @Option(
      names = "--dtype",
      paramLabel = "NAME",
      converter = Choice.OfWeightDtype.class,
      completionCandidates = Choice.OfWeightDtype.class,
      description =
          "What the source is cast to first, and what stays unquantized is stored as: ${COMPLETION-CANDIDATES}. Default: the source's.")
  private ComputeDtype dtype = ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED;

  @Option(
      names = "--compute-dtype",
      paramLabel = "NAME",
      converter = Choice.OfWeightDtype.class,
      completionCandidates = Choice.OfWeightDtype.class,
      description =
          "Recorded as the type to compute in; changes no weight: ${COMPLETION-CANDIDATES}. Default: fp32.")
  private ComputeDtype computeDtype = ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED;

  @Option(
      names = "--skip-modules",
      paramLabel = "NAME",
      split = ",",
      description =
          "Modules that stay unquantized, by name or the end of it. Default: the output embedding and what is tied to it.")
  private List<String> skipModules = new ArrayList<>();

  @Option(
      names = "--max-shard-bytes",
      paramLabel = "BYTES",
      description = "Largest file of the copy. Default: 5000000000.")
  private long maxShardBytes;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "DIR",
      description = "The directory to be made; it must not exist.")
  private Path output;

  @Override
  public Integer call() throws IOException {
    Surroundings surroundings = graft.surroundings();
    Path target = PartialDirectory.requireNew(output);
    String source = worker.backbonePath(backbone);
    List<Path> writable = worker.isOwn() ? List.of(target.getParent()) : List.of();
    try (WorkerSession session = worker.connect(surroundings, Optional.of(source), writable)) {
      QuantizationRun run = new QuantizationRun(surroundings, session.client());
      run.report(output, perform(run, source, target));
    }
    return 0;
  }

  /** An own worker writes; another one, which may be far away, sends. */
  private QuantizationRun.Summary perform(QuantizationRun run, String source, Path target)
      throws IOException {
    QuantizeRequest request = request(source);
    if (worker.isOwn()) {
      return run.perform(
          request.toBuilder().setDestination(target.toString()).build(), Optional.empty());
    }
    try (PartialDirectory directory = PartialDirectory.at(target)) {
      QuantizationRun.Summary summary = run.perform(request, Optional.of(directory));
      directory.commit();
      return summary;
    }
  }

  private QuantizeRequest request(String source) {
    return QuantizeRequest.newBuilder()
        .setSource(Backbone.newBuilder().setPath(source))
        .setScheme(scheme)
        .setBlockSize(blockSize)
        .setDoubleQuantization(doubleQuantization)
        .setDataType(Choice.OfWeightDtype.stored(dtype))
        .setRecordedComputeDtype(computeDtype)
        .addAllSkipModules(skipModules)
        .setMaxShardBytes(maxShardBytes)
        .build();
  }
}

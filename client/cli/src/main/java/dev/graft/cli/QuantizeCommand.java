package dev.graft.cli;

import dev.graft.cli.bundle.EnumNames;
import dev.graft.cli.items.ItemFile;
import dev.graft.cli.output.PartialDirectory;
import dev.graft.v1.Backbone;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.QuantizationScheme;
import dev.graft.v1.QuantizeRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
      "The copy is a directory that transformers loads as it is, with the source's tokenizer. It"
          + " appears when it is whole.",
      "With --compare it also tells how the features of the copies differ from the source's, and"
          + " how fast they are."
    })
final class QuantizeCommand implements Callable<Integer> {
  private static final Set<QuantizationScheme> IN_4_BITS =
      EnumSet.of(
          QuantizationScheme.QUANTIZATION_SCHEME_NF4, QuantizationScheme.QUANTIZATION_SCHEME_FP4);

  @ParentCommand private GraftCommand graft;
  @Mixin private ConnectionOptions worker;

  @Option(
      names = "--backbone",
      required = true,
      paramLabel = "DIR|hf://ORG/NAME[@REVISION]",
      description =
          "The model: a directory or a .gguf file, with --worker under one of its model roots, or"
              + " one on the Hugging Face Hub.")
  private String backbone;

  @Option(
      names = "--scheme",
      required = true,
      paramLabel = "NAME",
      split = ",",
      converter = Choice.OfScheme.class,
      completionCandidates = Choice.OfScheme.class,
      description =
          "How weights are stored: ${COMPLETION-CANDIDATES}. Of several, each gets a directory"
              + " OUTPUT/NAME.")
  private List<QuantizationScheme> schemes = new ArrayList<>();

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
          "What the source is cast to first, and what stays unquantized is stored as:"
              + " ${COMPLETION-CANDIDATES}. Default: the source's.")
  private ComputeDtype dtype = ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED;

  @Option(
      names = "--compute-dtype",
      paramLabel = "NAME",
      converter = Choice.OfWeightDtype.class,
      completionCandidates = Choice.OfWeightDtype.class,
      description =
          "Recorded as the type to compute in; changes no weight: ${COMPLETION-CANDIDATES}."
              + " Default: fp32.")
  private ComputeDtype computeDtype = ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED;

  @Option(
      names = "--skip-modules",
      paramLabel = "NAME",
      split = ",",
      description =
          "Modules that stay unquantized, by name or the end of it. Default: the output embedding"
              + " and what is tied to it.")
  private List<String> skipModules = new ArrayList<>();

  @Option(
      names = "--max-shard-bytes",
      paramLabel = "BYTES",
      description = "Largest file of the copy. Default: 5000000000.")
  private long maxShardBytes;

  @Option(
      names = "--compare",
      paramLabel = "FILE",
      description = {
        "Items, as for extract, whose features are compared with the source's: their cosines' mean"
            + " and worst, and the tokens per second.",
        "All features are held in memory. Not with --workers, which may not read what it wrote."
      })
  private Optional<Path> compare = Optional.empty();

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description =
          "The directory to be made; it must not exist. Only --compare can do without: then no copy"
              + " stays.")
  private Optional<Path> output = Optional.empty();

  @Override
  public Integer call() throws IOException {
    requireConsistent();
    Surroundings surroundings = graft.surroundings();
    Optional<ItemFile> items = compare.map(ItemFile::of);
    int count = items.isPresent() ? SchemeComparison.count(items.get()) : 0;
    String source = worker.backbonePath(backbone);
    try (CopyPlaces places = places();
        WorkerSession session =
            worker.connect(
                surroundings,
                Optional.of(source),
                worker.isOwn() ? List.of(places.parent()) : List.of())) {
      Optional<SchemeComparison> comparison = Optional.empty();
      if (items.isPresent()) {
        comparison =
            Optional.of(SchemeComparison.with(source, surroundings, session, items.get(), count));
      }
      QuantizationRun run = new QuantizationRun(surroundings, session.client());
      for (QuantizationScheme scheme : schemes) {
        Path target = places.of(scheme);
        QuantizationRun.Summary summary = perform(run, request(scheme, source), target);
        String name = EnumNames.name(scheme.getValueDescriptor());
        run.report(output.map(path -> shown(path, name)).orElse(name), summary);
        if (comparison.isPresent()) {
          comparison.get().add(name, target.toString(), summary.result());
        }
        places.release(scheme);
      }
      comparison.ifPresent(SchemeComparison::report);
    }
    return 0;
  }

  private void requireConsistent() {
    if (output.isEmpty() && compare.isEmpty()) {
      throw worker.wrong("--output is missing; only --compare can do without");
    }
    if (Set.copyOf(schemes).size() < schemes.size()) {
      throw worker.wrong("--scheme names one scheme twice");
    }
    if (compare.isPresent() && !worker.isOwn()) {
      throw worker.wrong(
          "--compare reads the copies on the worker that made them; it cannot go with --workers");
    }
  }

  private CopyPlaces places() throws IOException {
    return output.isPresent()
        ? CopyPlaces.at(output.get(), schemes.size())
        : CopyPlaces.temporary();
  }

  private String shown(Path path, String scheme) {
    return (schemes.size() == 1 ? path : path.resolve(scheme)).toString();
  }

  /** An own worker writes; another one, which may be far away, sends. */
  private QuantizationRun.Summary perform(QuantizationRun run, QuantizeRequest request, Path target)
      throws IOException {
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

  /** Of several schemes, those in 4 bits alone are asked for what the others do not have. */
  private QuantizeRequest request(QuantizationScheme scheme, String source) {
    boolean blocks = IN_4_BITS.contains(scheme) || schemes.stream().noneMatch(IN_4_BITS::contains);
    return QuantizeRequest.newBuilder()
        .setSource(Backbone.newBuilder().setPath(source))
        .setScheme(scheme)
        .setBlockSize(blocks ? blockSize : 0)
        .setDoubleQuantization(blocks && doubleQuantization)
        .setDataType(Choice.OfWeightDtype.stored(dtype))
        .setRecordedComputeDtype(computeDtype)
        .addAllSkipModules(skipModules)
        .setMaxShardBytes(maxShardBytes)
        .build();
  }
}

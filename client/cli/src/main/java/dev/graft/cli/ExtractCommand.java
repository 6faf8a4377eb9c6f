package dev.graft.cli;

import dev.graft.cli.items.ItemFile;
import dev.graft.cli.output.FeatureMatrix;
import dev.graft.cli.output.ItemNames;
import dev.graft.cli.output.JsonLines;
import dev.graft.cli.output.ResultWriter;
import dev.graft.cli.output.TokenFeatures;
import dev.graft.client.ExtractJob;
import dev.graft.v1.DataType;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code graft extract}. */
@Command(
    name = "extract",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Computes features of items on a frozen backbone.",
      "The output holds one tensor `features` [items, d] in the items' order; without pooling one"
          + " tensor [tokens, d] an item, named by its id or number."
    })
final class ExtractCommand implements Callable<Integer> {
  @ParentCommand private GraftCommand graft;
  @Spec private CommandSpec spec;
  @Mixin private FarmOptions farm;
  @Mixin private FeatureOptions features;

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE",
      description =
          "Items: .jsonl ({\"id\"?, \"text\" | \"input_ids\"} a line), .csv (columns text, id) or"
              + " .txt (a text a line).")
  private Path input;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FILE",
      description = "Features: .safetensors, .npy or .jsonl. Appears when it is whole.")
  private Path output;

  @Option(
      names = "--output-dtype",
      paramLabel = "NAME",
      converter = Choice.OfDataType.class,
      completionCandidates = Choice.OfDataType.class,
      description = "Type of the features: ${COMPLETION-CANDIDATES}. Default: f32.")
  private DataType outputDtype = DataType.DATA_TYPE_F32;

  @Override
  public Integer call() throws IOException {
    Surroundings surroundings = graft.surroundings();
    requireWritable();
    ItemFile items = ItemFile.of(input);
    boolean unpooled = features.pooling() == Pooling.POOLING_NONE;
    long total = unpooled ? items.countDistinctlyNamed() : items.count();
    String backbone = farm.backbonePath(features.backbone());
    FeatureSpec featureSpec =
        features.toSpec(backbone).toBuilder().setOutputDtype(outputDtype).build();
    ExtractJob job = ExtractJob.of(ExtractSpec.newBuilder().setFeatures(featureSpec).build());
    ItemNames names = new ItemNames();
    ExtractionRun.Summary summary;
    try (ResultWriter writer = writer(names, unpooled);
        Workers workers = farm.open(surroundings, backbone)) {
      summary =
          new ExtractionRun(surroundings, workers, items, names)
              .run(job, total, ready -> {}, writer);
    }
    report(surroundings, summary);
    return 0;
  }

  private void requireWritable() {
    boolean npy = FileTypes.hasExtension(output, ".npy");
    if (npy && outputDtype == DataType.DATA_TYPE_BF16) {
      throw wrong("NumPy has no bfloat16: use --output-dtype f16 or f32, or write .safetensors");
    }
    if (npy && features.pooling() == Pooling.POOLING_NONE) {
      throw wrong(
          "a .npy file holds one array, and --pooling none gives one an item: write .safetensors or"
              + " .jsonl");
    }
    if (!npy
        && !FileTypes.hasExtension(output, ".safetensors")
        && !FileTypes.hasExtension(output, ".jsonl")) {
      throw wrong("--output must end in .safetensors, .npy or .jsonl, it is " + output);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private ResultWriter writer(ItemNames names, boolean unpooled) throws IOException {
    if (FileTypes.hasExtension(output, ".jsonl")) {
      return JsonLines.features(output, names);
    }
    if (unpooled) {
      return TokenFeatures.safetensors(output, names);
    }
    return FileTypes.hasExtension(output, ".npy")
        ? FeatureMatrix.npy(output)
        : FeatureMatrix.safetensors(output);
  }

  private void report(Surroundings surroundings, ExtractionRun.Summary summary) {
    surroundings
        .out()
        .printf(
            "%s: %d items, %d values a feature, %d tokens%n",
            output, summary.items(), summary.ready().getFeatureSize(), summary.tokens());
    if (summary.truncatedItems() > 0) {
      surroundings
          .err()
          .printf(
              "%d items were longer than %d tokens and were cut%n",
              summary.truncatedItems(), summary.ready().getFeatures().getMaxTokens());
    }
  }
}

package dev.graft.cli;

import com.google.protobuf.ByteString;
import dev.graft.cli.bundle.Manifest;
import dev.graft.cli.items.Classes;
import dev.graft.cli.items.ItemFile;
import dev.graft.cli.output.ItemNames;
import dev.graft.cli.output.JsonLines;
import dev.graft.cli.output.PredictionFields;
import dev.graft.cli.output.ResultWriter;
import dev.graft.client.ExtractJob;
import dev.graft.v1.ComputeDtype;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code graft predict}. */
@Command(
    name = "predict",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "Applies a trained projector to items.",
      "Lines of the output: {\"id\", \"label\", \"score\", \"scores\"} for one class of several,"
          + " {\"id\", \"labels\", \"scores\"} for several of several, {\"id\", \"values\"} for"
          + " numbers, {\"id\", \"features\"} for embeddings."
    })
final class PredictCommand implements Callable<Integer> {
  @ParentCommand private GraftCommand graft;
  @Spec private CommandSpec spec;
  @Mixin private FarmOptions farm;

  @Option(
      names = "--bundle",
      required = true,
      paramLabel = "DIR",
      description = "What `graft train --output` made.")
  private Path bundle;

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE",
      description = "Items: .jsonl, .csv or .txt, as for extract.")
  private Path input;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FILE",
      description = "Predictions: .jsonl. Appears when it is whole.")
  private Path output;

  @Option(
      names = "--backbone",
      paramLabel = "DIR",
      description =
          "Where the backbone lies now, a directory or hf://ORG/NAME. Default: in the bundle if it"
              + " was included, or else where it lay when the bundle was trained.")
  private Optional<String> backbone = Optional.empty();

  @Option(
      names = "--compute-dtype",
      paramLabel = "NAME",
      converter = Choice.OfComputeDtype.class,
      completionCandidates = Choice.OfComputeDtype.class,
      description =
          "What the backbone is computed in: ${COMPLETION-CANDIDATES}. Default: what the bundle was"
              + " trained with.")
  private Optional<ComputeDtype> computeDtype = Optional.empty();

  @Override
  public Integer call() throws IOException {
    if (!FileTypes.hasExtension(output, ".jsonl")) {
      throw new ParameterException(
          spec.commandLine(), "--output must end in .jsonl, it is " + output);
    }
    Surroundings surroundings = graft.surroundings();
    Manifest manifest = Manifest.read(bundle);
    ByteString projector = projector(manifest);
    ItemFile items = ItemFile.of(input);
    long total = items.count();
    String path = farm.backbonePath(backbone.orElseGet(() -> backbone(manifest)));
    ItemNames names = new ItemNames();
    ExtractionRun.Summary summary;
    try (ResultWriter writer = JsonLines.predictions(output, names, fields(manifest));
        Workers workers = farm.open(surroundings, path)) {
      summary =
          new ExtractionRun(surroundings, workers, items, names)
              .run(
                  job(manifest, path, projector),
                  total,
                  ready -> requireSameBackbone(manifest, ready),
                  writer);
    }
    surroundings.out().printf("%s: %d predictions%n", output, summary.items());
    if (summary.truncatedItems() > 0) {
      surroundings
          .err()
          .printf(
              "%d items were longer than %d tokens and were cut%n",
              summary.truncatedItems(), summary.ready().getFeatures().getMaxTokens());
    }
    return 0;
  }

  private String backbone(Manifest manifest) {
    return manifest.backboneIncluded()
        ? bundle.resolve(Manifest.BACKBONE).toAbsolutePath().toString()
        : manifest.spec().getFeatures().getBackbone().getPath();
  }

  private ByteString projector(Manifest manifest) throws IOException {
    Path file = bundle.resolve(Manifest.PROJECTOR_FILE);
    byte[] content = Files.readAllBytes(file);
    if (!sha256(content).equals(manifest.result().getProjectorSha256())) {
      throw new CommandFailure(
          file + " is not the file that " + Manifest.FILE + " describes: its SHA-256 differs");
    }
    return ByteString.copyFrom(content);
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private ExtractJob job(Manifest manifest, String backbonePath, ByteString weights) {
    FeatureSpec.Builder features = manifest.spec().getFeatures().toBuilder();
    features.getBackboneBuilder().setPath(backbonePath);
    computeDtype.ifPresent(features::setComputeDtype);
    ExtractSpec.Builder extract =
        ExtractSpec.newBuilder().setFeatures(features).setPredictionsOnly(true);
    extract
        .getProjectorBuilder()
        .setProjector(manifest.spec().getProjector())
        .setProbabilities(manifest.probabilities());
    return new ExtractJob(extract.build(), weights, Optional.empty());
  }

  private static void requireSameBackbone(Manifest manifest, ExtractReady ready) {
    if (!ready.getBackboneDigest().equals(manifest.backboneDigest())) {
      throw new CommandFailure(
          "the backbone "
              + ready.getFeatures().getBackbone().getPath()
              + " is not the one that the bundle was trained on: its digest is "
              + ready.getBackboneDigest()
              + ", the bundle's "
              + manifest.backboneDigest()
              + "; name the right one with --backbone");
    }
  }

  private static PredictionFields fields(Manifest manifest) {
    return switch (manifest.spec().getObjective().getKindCase()) {
      case CROSS_ENTROPY -> new PredictionFields.OneClass(classes(manifest));
      case BINARY_CROSS_ENTROPY -> new PredictionFields.ClassSet(classes(manifest));
      case MEAN_SQUARED_ERROR -> new PredictionFields.Values();
      case COSINE_EMBEDDING, INFO_NCE -> new PredictionFields.Projection();
      case KIND_NOT_SET -> throw new CommandFailure(Manifest.FILE + " names no objective");
    };
  }

  private static Classes classes(Manifest manifest) {
    return manifest
        .classes()
        .orElseThrow(() -> new CommandFailure(Manifest.FILE + " names no labels"));
  }
}

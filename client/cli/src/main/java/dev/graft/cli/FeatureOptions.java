package dev.graft.cli;

import dev.graft.v1.ComputeDtype;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Overlength;
import dev.graft.v1.Pooling;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How features are computed. */
final class FeatureOptions {
  @Option(
      names = "--backbone",
      required = true,
      paramLabel = "DIR|hf://ORG/NAME[@REVISION]",
      description = {
        "Directory of the frozen model: of Hugging Face files, or an ONNX export with its"
            + " tokenizer. With --workers, a directory under their model roots.",
        "hf:// names one on the Hugging Face Hub, which the worker fetches into that cache; with"
            + " /FILE.gguf at its end, one file."
      })
  private String backbone;

  @Option(
      names = "--pooling",
      paramLabel = "NAME",
      converter = Choice.OfPooling.class,
      completionCandidates = Choice.OfPooling.class,
      description =
          "How an item's hidden states become its feature: ${COMPLETION-CANDIDATES}. Default: last"
              + " for causal backbones, mean for others.")
  private Pooling pooling = Pooling.POOLING_UNSPECIFIED;

  @Option(
      names = "--layer",
      paramLabel = "N",
      description =
          "Which hidden state, counted as transformers does: 0 is the embeddings' output, -1 the"
              + " last. Default: -1.")
  private Optional<Integer> layer = Optional.empty();

  @Option(names = "--normalize", description = "Divides each feature by its L2 norm.")
  private boolean normalize;

  @Option(
      names = "--compute-dtype",
      paramLabel = "NAME",
      converter = Choice.OfComputeDtype.class,
      completionCandidates = Choice.OfComputeDtype.class,
      description =
          "What the backbone is computed in: ${COMPLETION-CANDIDATES}. Default: auto, the fastest"
              + " on the worker's device.")
  private ComputeDtype computeDtype = ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED;

  @Option(
      names = "--max-tokens",
      paramLabel = "COUNT",
      description = "Longest item in tokens. Default: the backbone's limit.")
  private int maxTokens;

  @Option(
      names = "--overlength",
      paramLabel = "NAME",
      converter = Choice.OfOverlength.class,
      completionCandidates = Choice.OfOverlength.class,
      description =
          "What happens to longer items: ${COMPLETION-CANDIDATES}. Default: truncate, and say so.")
  private Overlength overlength = Overlength.OVERLENGTH_UNSPECIFIED;

  /** The backbone as it was given. */
  String backbone() {
    return backbone;
  }

  Pooling pooling() {
    return pooling;
  }

  /** The spec, with the backbone's path as the worker knows it. */
  FeatureSpec toSpec(String backbonePath) {
    FeatureSpec.Builder spec =
        FeatureSpec.newBuilder()
            .setPooling(pooling)
            .setNormalize(normalize)
            .setComputeDtype(computeDtype)
            .setMaxTokens(Math.max(maxTokens, 0))
            .setOverlength(overlength);
    spec.getBackboneBuilder().setPath(backbonePath);
    layer.ifPresent(spec::setLayer);
    return spec.build();
  }
}

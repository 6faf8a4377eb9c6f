package dev.graft.cli;

import dev.graft.v1.Activation;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What trains. */
final class ProjectorOptions {
  @Option(
      names = "--projector",
      paramLabel = "NAME",
      converter = Choice.OfProjectorKind.class,
      completionCandidates = Choice.OfProjectorKind.class,
      description = "Shape of the projector: ${COMPLETION-CANDIDATES}. Default: linear.")
  private ProjectorKind kind = ProjectorKind.PROJECTOR_KIND_UNSPECIFIED;

  @Option(
      names = "--hidden-sizes",
      paramLabel = "SIZE",
      split = ",",
      description =
          "Sizes of an MLP's hidden layers, with commas between. Default: one of the feature's size.")
  private List<Integer> hiddenSizes = List.of();

  @Option(
      names = "--activation",
      paramLabel = "NAME",
      converter = Choice.OfActivation.class,
      completionCandidates = Choice.OfActivation.class,
      description = "Between an MLP's layers: ${COMPLETION-CANDIDATES}. Default: gelu.")
  private Activation activation = Activation.ACTIVATION_UNSPECIFIED;

  @Option(
      names = "--dropout",
      paramLabel = "SHARE",
      description = "Share of an MLP's hidden values that are zeroed while training. Default: 0.")
  private float dropout;

  @Option(names = "--layer-norm", description = "LayerNorm before an MLP's activations.")
  private boolean layerNorm;

  @Option(
      names = "--output-size",
      paramLabel = "SIZE",
      description = "Size of the output. Default: what the objective needs.")
  private int outputSize;

  @Option(names = "--no-bias", description = "Leaves out the biases.")
  private boolean noBias;

  @Option(
      names = "--projector-init",
      paramLabel = "FILE",
      description =
          "Starting weights, a safetensors file. Default: torch's initialization, drawn from --seed.")
  private Optional<Path> initialWeights = Optional.empty();

  Optional<Path> initialWeights() {
    return initialWeights;
  }

  Projector toProto() {
    return Projector.newBuilder()
        .setKind(kind)
        .addAllHiddenSizes(hiddenSizes)
        .setActivation(activation)
        .setDropout(dropout)
        .setLayerNorm(layerNorm)
        .setOutputSize(outputSize)
        .setNoBias(noBias)
        .build();
  }
}

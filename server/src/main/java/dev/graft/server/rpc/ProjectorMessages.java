package dev.graft.server.rpc;

import dev.graft.server.jobs.Predictor;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.training.Activation;
import dev.graft.server.training.ProjectorSpec;
import dev.graft.v1.Projector;
import dev.graft.v1.ProjectorKind;
import dev.graft.v1.TrainedProjector;

/** Translates {@code projector.proto}. */
final class ProjectorMessages {
  private ProjectorMessages() {}

  static ProjectorSpec spec(Projector projector) {
    return new ProjectorSpec(
        kind(projector.getKind()),
        projector.getHiddenSizesList(),
        activation(projector.getActivation()),
        projector.getDropout(),
        projector.getLayerNorm(),
        projector.getOutputSize(),
        !projector.getNoBias());
  }

  /** A trained projector on the device. */
  static Predictor predictor(TorchDevice device, TrainedProjector message, byte[] file) {
    return new Predictor(
        dev.graft.server.training.TrainedProjector.load(device, spec(message.getProjector()), file),
        switch (message.getProbabilities()) {
          case PROBABILITIES_UNSPECIFIED -> Predictor.Probabilities.NONE;
          case PROBABILITIES_SOFTMAX -> Predictor.Probabilities.SOFTMAX;
          case PROBABILITIES_SIGMOID -> Predictor.Probabilities.SIGMOID;
          case UNRECOGNIZED ->
              throw FeatureMessages.invalid(
                  "projector.probabilities", "is no choice that this worker knows");
        });
  }

  /** The shape with every default filled in. */
  static Projector message(ProjectorSpec spec) {
    return Projector.newBuilder()
        .setKind(
            switch (spec.kind()) {
              case LINEAR -> ProjectorKind.PROJECTOR_KIND_LINEAR;
              case MLP -> ProjectorKind.PROJECTOR_KIND_MLP;
            })
        .addAllHiddenSizes(spec.hiddenSizes())
        .setActivation(
            switch (spec.activation()) {
              case GELU -> dev.graft.v1.Activation.ACTIVATION_GELU;
              case RELU -> dev.graft.v1.Activation.ACTIVATION_RELU;
              case SILU -> dev.graft.v1.Activation.ACTIVATION_SILU;
              case TANH -> dev.graft.v1.Activation.ACTIVATION_TANH;
            })
        .setDropout((float) spec.dropout())
        .setLayerNorm(spec.layerNorm())
        .setOutputSize(spec.outputSize())
        .setNoBias(!spec.bias())
        .build();
  }

  private static ProjectorSpec.Kind kind(ProjectorKind kind) {
    return switch (kind) {
      case PROJECTOR_KIND_UNSPECIFIED, PROJECTOR_KIND_LINEAR -> ProjectorSpec.Kind.LINEAR;
      case PROJECTOR_KIND_MLP -> ProjectorSpec.Kind.MLP;
      case UNRECOGNIZED ->
          throw FeatureMessages.invalid("projector.kind", "is no kind that this worker knows");
    };
  }

  private static Activation activation(dev.graft.v1.Activation activation) {
    return switch (activation) {
      case ACTIVATION_UNSPECIFIED, ACTIVATION_GELU -> Activation.GELU;
      case ACTIVATION_RELU -> Activation.RELU;
      case ACTIVATION_SILU -> Activation.SILU;
      case ACTIVATION_TANH -> Activation.TANH;
      case UNRECOGNIZED ->
          throw FeatureMessages.invalid(
              "projector.activation", "is no activation that this worker knows");
    };
  }
}

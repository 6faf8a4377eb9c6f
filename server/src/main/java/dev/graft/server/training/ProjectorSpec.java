package dev.graft.server.training;

import java.util.List;

/**
 * Shape of a projector, as it is asked for.
 *
 * @param hiddenSizes of an MLP; empty means one hidden layer of the input's size
 * @param activation after each hidden layer; LINEAR has none
 * @param dropout probability that a hidden value is zeroed while training
 * @param layerNorm torch.nn.LayerNorm (eps 1e-5) before each activation
 * @param outputSize 0 means what the objective needs, or what the weights have
 * @param bias whether the Linear layers have biases
 */
public record ProjectorSpec(
    Kind kind,
    List<Integer> hiddenSizes,
    Activation activation,
    double dropout,
    boolean layerNorm,
    int outputSize,
    boolean bias) {
  /** Most hidden layers. */
  public static final int MOST_LAYERS = 8;

  /** Largest layer. */
  public static final int MOST_VALUES = 65_536;

  /** One Linear, or a Sequential of several with activations between them. */
  public enum Kind {
    LINEAR,
    MLP
  }

  /** Checks what can be checked without the sizes of the data. */
  public ProjectorSpec {
    hiddenSizes = List.copyOf(hiddenSizes);
    if (kind == Kind.LINEAR) {
      InvalidField.check(
          hiddenSizes.isEmpty(), "hidden_sizes", "must be unset for LINEAR", hiddenSizes);
      InvalidField.check(dropout == 0, "dropout", "must be unset for LINEAR", dropout);
      InvalidField.check(!layerNorm, "layer_norm", "must be unset for LINEAR", layerNorm);
    }
    InvalidField.check(
        hiddenSizes.size() <= MOST_LAYERS,
        "hidden_sizes",
        "must be at most " + MOST_LAYERS,
        hiddenSizes.size());
    for (int size : hiddenSizes) {
      InvalidField.check(
          size >= 1 && size <= MOST_VALUES,
          "hidden_sizes",
          "must each be from 1 to " + MOST_VALUES,
          size);
    }
    InvalidField.check(
        dropout >= 0 && dropout < 1, "dropout", "must be from 0 to below 1", dropout);
    InvalidField.check(
        outputSize >= 0 && outputSize <= MOST_VALUES,
        "output_size",
        "must be from 0 to " + MOST_VALUES,
        outputSize);
  }

  /** One Linear with bias. */
  public static ProjectorSpec linear(int outputSize) {
    return new ProjectorSpec(Kind.LINEAR, List.of(), Activation.GELU, 0, false, outputSize, true);
  }

  /** The same with the sizes that follow from the data; those that are unknown are 0. */
  ProjectorSpec resolved(int inputSize, int neededOutputSize) {
    return new ProjectorSpec(
        kind,
        kind == Kind.MLP && hiddenSizes.isEmpty() && inputSize > 0
            ? List.of(inputSize)
            : hiddenSizes,
        activation,
        dropout,
        layerNorm,
        outputSize == 0 ? neededOutputSize : outputSize,
        bias);
  }
}

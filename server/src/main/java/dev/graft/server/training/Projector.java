package dev.graft.server.training;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.TensorData;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A projector with all its sizes: the list of its tensors. Programs take them in this order: the
 * weights of the Linear layers, their biases, the LayerNorms' weights, their biases.
 *
 * @param spec without anything unset
 */
record Projector(ProjectorSpec spec, int inputSize) {
  /** A checkpoint holds three or four copies in one array of bytes. */
  private static final long MOST_PARAMETERS = 1L << 27;

  Projector {
    InvalidField.check(
        spec.outputSize() > 0,
        "output_size",
        "must be set, since neither objective nor labels say it",
        spec.outputSize());
    long parameters = 0;
    for (ParameterInfo parameter : parameters(spec, inputSize)) {
      parameters += parameter.count();
    }
    InvalidField.check(
        parameters <= MOST_PARAMETERS,
        spec.kind() == ProjectorSpec.Kind.MLP ? "hidden_sizes" : "output_size",
        "must give a projector of at most 2^27 values",
        parameters);
  }

  /** Every tensor, in the order in which programs take them. */
  List<ParameterInfo> parameters() {
    return parameters(spec, inputSize);
  }

  int hiddenLayers() {
    return spec.hiddenSizes().size();
  }

  /** What the placeholders of the program texts stand for. */
  Map<String, Object> literals() {
    int layers = hiddenLayers() + 1;
    Map<String, Object> literals = new LinkedHashMap<>();
    literals.put("hidden", hiddenLayers());
    literals.put("layers", layers);
    literals.put("bias", spec.bias());
    literals.put("layer_norm", spec.layerNorm());
    literals.put("norms", spec.bias() ? 2 * layers : layers);
    literals.put("dropout", spec.dropout() > 0);
    literals.put("activation", spec.activation().name());
    return literals;
  }

  private static List<ParameterInfo> parameters(ProjectorSpec spec, int inputSize) {
    List<ParameterInfo> weights = new ArrayList<>();
    List<ParameterInfo> biases = new ArrayList<>();
    List<ParameterInfo> normWeights = new ArrayList<>();
    List<ParameterInfo> normBiases = new ArrayList<>();
    long in = inputSize;
    int position = 0;
    for (long out : spec.hiddenSizes()) {
      String name = position + ".";
      weights.add(new ParameterInfo(name + "weight", List.of(out, in)));
      biases.add(new ParameterInfo(name + "bias", List.of(out)));
      normWeights.add(new ParameterInfo(position + 1 + ".weight", List.of(out)));
      normBiases.add(new ParameterInfo(position + 1 + ".bias", List.of(out)));
      position += 2 + (spec.layerNorm() ? 1 : 0) + (spec.dropout() > 0 ? 1 : 0);
      in = out;
    }
    String last = spec.kind() == ProjectorSpec.Kind.LINEAR ? "" : position + ".";
    long out = spec.outputSize();
    weights.add(new ParameterInfo(last + "weight", List.of(out, in)));
    biases.add(new ParameterInfo(last + "bias", List.of(out)));
    List<ParameterInfo> all = new ArrayList<>(weights);
    if (spec.bias()) {
      all.addAll(biases);
    }
    if (spec.layerNorm()) {
      all.addAll(normWeights);
      all.addAll(normBiases);
    }
    return all;
  }

  /**
   * The projector that these weights belong to, sizes read from them.
   *
   * @throws GraftException INVALID_ARGUMENT (WRONG_WEIGHTS)
   */
  static Projector ofWeights(ProjectorSpec spec, Map<String, TensorData> tensors) {
    // Names do not depend on sizes, so any will do to learn them.
    List<ParameterInfo> named = new Projector(spec.resolved(1, 1), 1).parameters();
    int layers = Math.max(spec.hiddenSizes().size(), spec.kind() == ProjectorSpec.Kind.MLP ? 1 : 0);
    long inputSize = matrix(named.get(0).name(), tensors)[1];
    long outputSize = matrix(named.get(layers).name(), tensors)[0];
    return new Projector(spec.resolved((int) inputSize, (int) outputSize), (int) inputSize);
  }

  private static long[] matrix(String name, Map<String, TensorData> tensors) {
    TensorData tensor = tensors.get(name);
    if (tensor == null || tensor.shape().length != 2) {
      throw ProjectorWeights.wrong(name, "there is no matrix of this name");
    }
    long[] shape = tensor.shape();
    if (Math.max(shape[0], shape[1]) > ProjectorSpec.MOST_VALUES || shape[0] * shape[1] == 0) {
      throw ProjectorWeights.wrong(name, "its shape is " + tensor);
    }
    return shape;
  }
}

package dev.graft.server.training;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import dev.graft.server.training.CounterRandom.Purpose;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The values of a projector's tensors, by name: drawn, read from a file, written to one. */
final class ProjectorWeights {
  private ProjectorWeights() {}

  /**
   * torch's default initialization of Linear, uniform within 1/sqrt(inputs) for weights and biases
   * alike, and of LayerNorm, ones and zeros.
   */
  static Map<String, float[]> initial(Projector projector, long seed) {
    Map<String, float[]> weights = new LinkedHashMap<>();
    int linears = (projector.hiddenLayers() + 1) * (projector.spec().bias() ? 2 : 1);
    List<ParameterInfo> parameters = projector.parameters();
    for (int i = 0; i < parameters.size(); i++) {
      ParameterInfo parameter = parameters.get(i);
      float[] values = new float[(int) parameter.count()];
      if (i < linears) {
        long inputs = parameters.get(i % (projector.hiddenLayers() + 1)).shape().get(1);
        fill(
            values,
            1 / Math.sqrt((double) inputs),
            CounterRandom.of(seed, Purpose.INITIALIZATION, i));
      } else if (parameter.name().endsWith("weight")) {
        Arrays.fill(values, 1);
      }
      weights.put(parameter.name(), values);
    }
    return weights;
  }

  private static void fill(float[] values, double bound, CounterRandom random) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) ((2 * random.uniform(i) - 1) * bound);
    }
  }

  /**
   * Starting weights from a safetensors file.
   *
   * @throws GraftException INVALID_ARGUMENT (WRONG_WEIGHTS) naming the tensor
   */
  static Map<String, float[]> read(Projector projector, byte[] file) {
    return take(projector, "", parse(file).tensors());
  }

  /** Refuses what {@link #read} would; without a projector, what is no such file at all. */
  static void check(byte[] file, Optional<Projector> projector) {
    Map<String, TensorData> tensors = parse(file).tensors();
    projector.ifPresent(known -> take(known, "", tensors));
  }

  static Safetensors<TensorData> parse(byte[] file) {
    return Safetensors.read(
        ByteBuffer.wrap(file),
        problem ->
            GraftException.invalidArgument("WRONG_WEIGHTS", "The projector's file: " + problem));
  }

  /** The projector's tensors from those of a file, which has no others under the prefix. */
  static Map<String, float[]> take(
      Projector projector, String prefix, Map<String, TensorData> tensors) {
    Map<String, float[]> weights = new LinkedHashMap<>();
    for (ParameterInfo parameter : projector.parameters()) {
      String name = prefix + parameter.name();
      TensorData tensor = tensors.get(name);
      if (tensor == null) {
        throw wrong(name, "it is missing; the file has " + tensors.keySet());
      }
      if (tensor.type() != StoredType.F32
          || !Arrays.equals(tensor.shape(), parameter.shapeArray())) {
        throw wrong(name, "it must be F32" + parameter.shape() + ", but the file has " + tensor);
      }
      float[] values = tensor.toFloats();
      for (float value : values) {
        if (!Float.isFinite(value)) {
          throw wrong(name, "it holds " + value);
        }
      }
      weights.put(parameter.name(), values);
    }
    for (String name : tensors.keySet()) {
      if (name.startsWith(prefix) && !weights.containsKey(name.substring(prefix.length()))) {
        throw wrong(name, "the projector that was asked for has no such tensor");
      }
    }
    return weights;
  }

  static GraftException wrong(String tensor, String problem) {
    return GraftException.invalidArgument(
            "WRONG_WEIGHTS", "Tensor " + tensor + " of the projector's file: " + problem + ".")
        .with("tensor", tensor);
  }

  /** Tensors of a file, their names with the prefix. */
  static List<TensorData> tensors(
      Projector projector, String prefix, Map<String, float[]> weights) {
    List<TensorData> tensors = new ArrayList<>();
    for (ParameterInfo parameter : projector.parameters()) {
      tensors.add(
          TensorData.floats(
              prefix + parameter.name(), weights.get(parameter.name()), parameter.shapeArray()));
    }
    return tensors;
  }

  /** The projector's file. */
  static byte[] write(Projector projector, Map<String, float[]> weights) {
    return SafetensorsWriter.toBytes(tensors(projector, "", weights), Map.of("format", "pt"));
  }
}

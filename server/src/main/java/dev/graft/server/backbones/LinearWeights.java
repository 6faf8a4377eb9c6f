package dev.graft.server.backbones;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which of a model's tensors are weights of linear layers, what stands outside the backbone (its
 * heads) included, and which of those transformers leaves unquantized unless it is told otherwise.
 * Reference: {@code get_keys_to_not_convert} and {@code replace_with_bnb_linear} of transformers.
 * Immutable.
 */
public final class LinearWeights {
  private static final String WEIGHT = ".weight";

  /** Output embeddings, by the names that the supported architectures' heads give them. */
  private static final Set<String> OUTPUT_EMBEDDINGS =
      Set.of("lm_head", "lm_head.decoder", "cls.predictions.decoder");

  /** A head without bias, whose weight then is the last parameter of its model. */
  private static final String SCORE = "score";

  private final Set<String> embeddings = new HashSet<>();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Set<String> turned = new HashSet<>();
  private final Set<String> leftByDefault = new HashSet<>(OUTPUT_EMBEDDINGS);

  private LinearWeights() {}

  /**
   * Reads a model's configuration.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_ARCHITECTURE or UNSUPPORTED_OPTION
   */
  public static LinearWeights of(Checkpoint checkpoint) {
    LinearWeights weights = new LinearWeights();
    Architecture architecture = Backbones.architecture(unquantized(checkpoint.configuration()));
    for (Parameter parameter : architecture.outside()) {
      if (parameter.shape().size() == 2) {
        names(architecture, "", parameter).forEach(weights.embeddings::add);
      }
    }
    for (Parameter parameter : architecture.inBlock()) {
      for (int block = 0; parameter.shape().size() == 2 && block < architecture.blocks(); block++) {
        String within = architecture.blockPrefix() + block + ".";
        weights.add(names(architecture, within, parameter), parameter);
      }
    }
    weights.addHeads(architecture);
    if (checkpoint.find(SCORE + ".bias").isEmpty()) {
      weights.leftByDefault.add(SCORE);
    }
    return weights;
  }

  private void add(List<String> names, Parameter parameter) {
    long[] shape = parameter.shape().stream().mapToLong(Long::longValue).toArray();
    names.forEach(name -> shapes.put(name, shape));
    if (parameter.turned()) {
      turned.addAll(names);
    }
  }

  /** Linear layers that the backbone does not have, and its model may. */
  private void addHeads(Architecture architecture) {
    long size = architecture.hiddenSize();
    for (String output : OUTPUT_EMBEDDINGS) {
      shapes.put(output + WEIGHT, new long[] {architecture.vocabularySize(), size});
    }
    List<String> square =
        List.of(
            "pooler.dense",
            "bert.pooler.dense",
            "roberta.pooler.dense",
            "cls.predictions.transform.dense",
            "lm_head.dense");
    square.forEach(name -> shapes.put(name + WEIGHT, new long[] {size, size}));
  }

  /** Linear layers' weights by all names that they may have, with their shapes [out, in]. */
  public Map<String, long[]> shapes() {
    return shapes;
  }

  private static JsonNode unquantized(JsonNode configuration) {
    ObjectNode copy = configuration.deepCopy();
    copy.remove("quantization_config");
    return copy;
  }

  private static List<String> names(Architecture architecture, String within, Parameter parameter) {
    Set<String> names = new HashSet<>(parameter.otherNames());
    names.add(parameter.name());
    return architecture.prefixes().stream()
        .flatMap(prefix -> names.stream().map(name -> prefix + within + name))
        .toList();
  }

  /** Whether a tensor with this name and number of dimensions is the weight of a linear layer. */
  public boolean isLinear(String name, int dimensions) {
    return dimensions == 2 && name.endsWith(WEIGHT) && !embeddings.contains(name);
  }

  /** Whether a linear layer's weight is stored as [in, out], as GPT-2's {@code Conv1D} does. */
  public boolean isTurned(String name) {
    return turned.contains(name);
  }

  /** The module of a weight. */
  public static String module(String weightName) {
    return weightName.substring(0, weightName.length() - WEIGHT.length());
  }

  /** Whether a linear layer stays unquantized where nothing is said about it. */
  public boolean isLeftByDefault(String weightName) {
    return leftByDefault.contains(module(weightName));
  }
}

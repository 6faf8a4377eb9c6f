package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads off an exported BERT encoder what its {@code config.json} said: sizes from the shapes of
 * its parameters, the rest from the graph. Whatever cannot be told for sure is an error that asks
 * for a {@code config.json}, never a guess. The reference is transformers' {@code BertConfig}.
 */
final class OnnxBertConfiguration {
  private static final String WORDS = "embeddings.word_embeddings.weight";

  private final OnnxGraph graph;
  private final Map<String, TensorEntry> tensors;
  private final String prefix;

  private OnnxBertConfiguration(OnnxGraph graph, Map<String, TensorEntry> tensors) {
    this.graph = graph;
    this.tensors = tensors;
    this.prefix =
        tensors.keySet().stream()
            .filter(name -> name.endsWith(WORDS))
            .map(name -> name.substring(0, name.length() - WORDS.length()))
            .findFirst()
            .orElseThrow(() -> untold("it has no " + WORDS));
  }

  /**
   * The configuration of a BERT encoder.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT if it cannot be told
   */
  static ObjectNode of(OnnxGraph graph, Map<String, TensorEntry> tensors) {
    return new OnnxBertConfiguration(graph, tensors).derive();
  }

  private ObjectNode derive() {
    requireBert();
    long[] words = matrix(WORDS);
    ObjectNode configuration = JsonNodeFactory.instance.objectNode();
    configuration.putArray("architectures").add("BertModel");
    configuration.put("model_type", "bert");
    configuration.put("vocab_size", words[0]);
    configuration.put("hidden_size", words[1]);
    configuration.put("num_hidden_layers", layers());
    configuration.put("num_attention_heads", heads(words[1]));
    configuration.put("intermediate_size", matrix(layer(0) + "intermediate.dense.weight")[0]);
    configuration.put("hidden_act", activation());
    configuration.put(
        "max_position_embeddings", matrix("embeddings.position_embeddings.weight")[0]);
    configuration.put("type_vocab_size", matrix("embeddings.token_type_embeddings.weight")[0]);
    configuration.put("layer_norm_eps", epsilon());
    configuration.put("position_embedding_type", "absolute");
    return configuration;
  }

  /** RoBERTa has the same names, but counts positions from the padding token's number. */
  private void requireBert() {
    if (graph.nodes().stream().anyMatch(node -> node.is("CumSum"))) {
      throw untold("it counts its positions from the input, as RoBERTa does and BERT does not");
    }
    if (tensors.keySet().stream().anyMatch(name -> name.contains("distance_embedding"))) {
      throw untold("it has relative positions");
    }
  }

  private int layers() {
    int layers = 0;
    while (tensors.containsKey(prefix + layer(layers) + "attention.self.query.weight")) {
      layers++;
    }
    return layers;
  }

  /** From the shape that queries are reshaped to: [batch, tokens, heads, size of a head]. */
  private long heads(long hiddenSize) {
    String sum = sumWithBias(layer(0) + "attention.self.query.bias");
    for (OnnxGraph.Node node : graph.consumers(sum)) {
      if (node.is("Reshape") && node.inputs().size() == 2 && node.inputs().get(0).equals(sum)) {
        List<Optional<Long>> shape = constantShape(node.inputs().get(1));
        if (shape.size() != 4) {
          continue;
        }
        long headSize = shape.get(3).orElse(0L);
        if (headSize > 0 && hiddenSize % headSize == 0) {
          long heads = hiddenSize / headSize;
          if (shape.get(2).filter(h -> h == heads || h == -1).isPresent()) {
            return heads;
          }
        }
      }
    }
    throw untold("its number of attention heads does not show");
  }

  /** A constant vector, or one put together from constants and computed sizes. */
  private List<Optional<Long>> constantShape(String name) {
    Optional<OnnxGraph.Tensor> constant = graph.tensor(name);
    if (constant.isPresent()) {
      return constant.get().values().stream().map(v -> Optional.of(v.longValue())).toList();
    }
    return graph
        .producer(name)
        .filter(node -> node.is("Concat"))
        .map(node -> node.inputs().stream().map(this::constantSize).toList())
        .orElse(List.of());
  }

  private Optional<Long> constantSize(String name) {
    return graph.tensor(name).flatMap(OnnxGraph.Tensor::single).map(Double::longValue);
  }

  /** From the operators between the two linear layers of the feed-forward part. */
  private String activation() {
    Set<String> operators = new TreeSet<>();
    Set<String> constants = new TreeSet<>();
    String approximation = "none";
    for (OnnxGraph.Node node : between(sumWithBias(layer(0) + "intermediate.dense.bias"))) {
      operators.add(node.operator());
      approximation = node.text("approximate", approximation);
      node.inputs().stream()
          .flatMap(input -> graph.tensor(input).flatMap(OnnxGraph.Tensor::single).stream())
          .forEach(constant -> constants.add(Float.toString(constant.floatValue())));
    }
    if (operators.contains("Erf") && !operators.contains("Tanh")) {
      return "gelu";
    }
    if (operators.equals(Set.of("Gelu"))) {
      return approximation.equals("tanh") ? "gelu_pytorch_tanh" : "gelu";
    }
    if (operators.contains("Tanh") && constants.contains("0.044715")) {
      return "gelu_new";
    }
    if (operators.equals(Set.of("Relu"))) {
      return "relu";
    }
    if (operators.equals(Set.of("Mul", "Sigmoid")) && constants.isEmpty()) {
      return "silu";
    }
    throw untold("its activation does not show in the operators " + operators);
  }

  /** All that is computed from a value, up to the next linear layer. */
  private Set<OnnxGraph.Node> between(String value) {
    Set<OnnxGraph.Node> between = new LinkedHashSet<>();
    Deque<String> values = new ArrayDeque<>(List.of(value));
    while (!values.isEmpty()) {
      for (OnnxGraph.Node node : graph.consumers(values.remove())) {
        if (!node.is("MatMul") && !node.is("Gemm") && between.add(node)) {
          values.addAll(node.outputs());
        }
      }
    }
    return between;
  }

  /** From every norm of the graph; all must agree. */
  private double epsilon() {
    Set<Double> found = new TreeSet<>();
    for (OnnxGraph.Node node : graph.nodes()) {
      if (node.is("LayerNormalization")) {
        found.add(shortest(node.number("epsilon", 1e-5f)));
      } else if (node.is("Sqrt") && node.inputs().size() == 1) {
        graph
            .producer(node.inputs().get(0))
            .filter(sum -> sum.is("Add") && sum.inputs().size() == 2)
            .ifPresent(sum -> addEpsilon(sum, found));
      }
    }
    if (found.size() != 1) {
      throw untold("the epsilon of its norms does not show, or they differ: " + found);
    }
    return found.iterator().next();
  }

  /** sqrt(mean((x - mean(x))²) + epsilon). */
  private void addEpsilon(OnnxGraph.Node sum, Set<Double> found) {
    for (int i = 0; i < 2; i++) {
      Optional<OnnxGraph.Node> mean =
          graph.producer(sum.inputs().get(i)).filter(node -> node.is("ReduceMean"));
      if (mean.isPresent()) {
        graph
            .tensor(sum.inputs().get(1 - i))
            .flatMap(OnnxGraph.Tensor::single)
            .ifPresent(epsilon -> found.add(shortest(epsilon.floatValue())));
      }
    }
  }

  /** The graph has 9.99999996e-13, the nearest float; its author wrote 1e-12. */
  private static double shortest(float number) {
    return Double.parseDouble(Float.toString(number));
  }

  /** The value to which a bias was added. */
  private String sumWithBias(String bias) {
    return graph.consumers(prefix + bias).stream()
        .filter(node -> (node.is("Add") || node.is("Gemm")) && node.outputs().size() == 1)
        .map(node -> node.outputs().get(0))
        .findFirst()
        .orElseThrow(() -> untold("nothing adds " + bias));
  }

  private long[] matrix(String name) {
    TensorEntry entry = tensors.get(prefix + name);
    if (entry == null || entry.shape().length != 2) {
      throw untold("it has no matrix " + name);
    }
    return entry.shape();
  }

  private static String layer(int index) {
    return "encoder.layer." + index + ".";
  }

  private GraftException untold(String problem) {
    return Corruption.of(
        graph.file(),
        "is not an encoder whose configuration shows in its graph: %s; put its config.json beside it"
            .formatted(problem));
  }
}

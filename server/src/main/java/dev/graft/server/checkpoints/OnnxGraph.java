package dev.graft.server.checkpoints;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The graph of an ONNX model: its operations, and where its constant tensors lie in the file. */
final class OnnxGraph {
  private final Path file;
  private final List<Node> nodes;
  private final Map<String, Tensor> tensors;
  private final Set<String> initializers;
  private final Map<String, Node> producers = new HashMap<>();
  private final Map<String, List<Node>> consumers = new HashMap<>();

  /**
   * A constant tensor.
   *
   * @param span its bytes in the file; empty where numbers are encoded one by one
   * @param values its values where they are few, as the constants of a computation are
   */
  record Tensor(
      StoredType type, List<Long> dimensions, Optional<WireReader.Span> span, List<Double> values) {
    /** Most elements of a tensor whose values are kept. */
    static final int FEW = 16;

    long[] shape() {
      return dimensions.stream().mapToLong(Long::longValue).toArray();
    }

    /** The value, if there is exactly one. */
    Optional<Double> single() {
      return values.size() == 1 ? Optional.of(values.get(0)) : Optional.empty();
    }
  }

  /**
   * An operation.
   *
   * @param attributes Long, Float, String or Tensor
   */
  record Node(
      String operator,
      String domain,
      List<String> inputs,
      List<String> outputs,
      Map<String, Object> attributes) {
    boolean is(String wanted) {
      return operator.equals(wanted);
    }

    long integer(String attribute, long otherwise) {
      return attributes.get(attribute) instanceof Long value ? value : otherwise;
    }

    float number(String attribute, float otherwise) {
      return attributes.get(attribute) instanceof Float value ? value : otherwise;
    }

    String text(String attribute, String otherwise) {
      return attributes.get(attribute) instanceof String value ? value : otherwise;
    }
  }

  /** Connects nodes. */
  OnnxGraph(Path file, List<Node> nodes, Map<String, Tensor> initializers) {
    this.file = file;
    this.nodes = List.copyOf(nodes);
    this.tensors = new LinkedHashMap<>(initializers);
    this.initializers = new HashSet<>(initializers.keySet());
    for (Node node : nodes) {
      node.outputs().forEach(output -> addProducer(output, node));
      node.inputs().forEach(i -> consumers.computeIfAbsent(i, x -> new ArrayList<>()).add(node));
      nameConstant(node);
    }
  }

  private void addProducer(String output, Node node) {
    boolean taken = producers.put(output, node) != null || initializers.contains(output);
    if (taken && !output.isEmpty()) { // an output that is left out has no name
      throw Corruption.of(file, "computes \"" + output + "\" twice");
    }
  }

  /** What a Constant node holds is a tensor too, and Identity gives one another name. */
  private void nameConstant(Node node) {
    if (node.outputs().size() != 1) {
      return;
    }
    String output = node.outputs().get(0);
    if (node.is("Constant")) {
      node.attributes().values().stream()
          .filter(Tensor.class::isInstance)
          .findFirst()
          .ifPresent(value -> tensors.put(output, (Tensor) value));
    } else if (node.is("Identity") && node.inputs().size() == 1) {
      // Exporters merge equal initializers; the parameter's own name survives only here. Nodes are
      // in topological order, so the input is known already.
      Tensor original = tensors.get(node.inputs().get(0));
      if (original != null) {
        tensors.put(output, original);
        if (initializers.contains(node.inputs().get(0))) {
          initializers.add(output);
        }
      }
    }
  }

  Path file() {
    return file;
  }

  /** In an order in which they can be computed. */
  List<Node> nodes() {
    return nodes;
  }

  /** Names of what was a parameter of the exported model. */
  Set<String> initializers() {
    return initializers;
  }

  /** A constant tensor by any of its names. */
  Optional<Tensor> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /** The node that computes a value. */
  Optional<Node> producer(String name) {
    return Optional.ofNullable(producers.get(name));
  }

  /** The nodes that take a value. */
  List<Node> consumers(String name) {
    return consumers.getOrDefault(name, List.of());
  }
}

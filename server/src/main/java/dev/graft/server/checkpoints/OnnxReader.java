package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the parts of an ONNX model that tell about its parameters. Field numbers are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Subgraphs, functions and sparse tensors
 * are passed over: encoders have none.
 */
final class OnnxReader {
  /** Far above every encoder. An empty node is 2 bytes in the file and a hundred in memory. */
  private static final int MAX_NODES = 100_000;

  /** The same for all their inputs, outputs and attributes together. */
  private static final int MAX_PARTS = 1_000_000;

  private final Path file;
  private final List<OnnxGraph.Node> nodes = new ArrayList<>();
  private final Map<String, OnnxGraph.Tensor> initializers = new LinkedHashMap<>();
  private int parts;

  private OnnxReader(Path file) {
    this.file = file;
  }

  /**
   * Reads a model's graph.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT or UNSUPPORTED_FORMAT
   */
  static OnnxGraph read(Path file) {
    OnnxReader reader = new OnnxReader(file);
    try (FileWindow bytes = new FileWindow(file)) {
      reader.readModel(WireReader.of(bytes));
    }
    return new OnnxGraph(file, reader.nodes, reader.initializers);
  }

  private void readModel(WireReader model) {
    boolean hasGraph = false;
    boolean hasOperatorSet = false;
    while (model.next()) {
      switch (model.field()) {
        case 7 -> {
          if (hasGraph) {
            throw model.corrupt("a second graph");
          }
          hasGraph = true;
          readGraph(model.message());
        }
        case 8 -> {
          hasOperatorSet = true;
          model.skip();
        }
        default -> model.skip();
      }
    }
    if (!hasGraph || !hasOperatorSet) { // the operator set is written last: a cut file lacks it
      throw model.corrupt("no graph or no operator set");
    }
  }

  private void readGraph(WireReader graph) {
    while (graph.next()) {
      switch (graph.field()) {
        case 1 -> {
          if (nodes.size() == MAX_NODES) {
            throw graph.corrupt("more than %d nodes".formatted(MAX_NODES));
          }
          nodes.add(readNode(graph.message()));
        }
        case 5 -> readInitializer(graph);
        default -> graph.skip();
      }
    }
  }

  private void readInitializer(WireReader graph) {
    count(graph);
    OnnxTensorReader tensor = OnnxTensorReader.read(graph.message(), file);
    if (tensor.hasNumbers() && initializers.put(tensor.name(), tensor.toTensor()) != null) {
      throw Corruption.of(file, tensor.name(), "is there twice");
    }
  }

  private OnnxGraph.Node readNode(WireReader node) {
    String operator = "";
    String domain = "";
    List<String> inputs = new ArrayList<>(3);
    List<String> outputs = new ArrayList<>(1);
    Map<String, Object> attributes = new HashMap<>();
    while (node.next()) {
      switch (node.field()) {
        case 1 -> {
          count(node);
          inputs.add(node.text());
        }
        case 2 -> {
          count(node);
          outputs.add(node.text());
        }
        case 4 -> operator = node.text();
        case 5 -> {
          count(node);
          readAttribute(node.message(), attributes);
        }
        case 7 -> domain = node.text();
        default -> node.skip();
      }
    }
    return new OnnxGraph.Node(operator, domain, inputs, outputs, attributes);
  }

  private void readAttribute(WireReader attribute, Map<String, Object> attributes) {
    String name = "";
    Object value = null;
    List<Double> integers = new ArrayList<>();
    while (attribute.next()) {
      switch (attribute.field()) {
        case 1 -> name = attribute.text();
        case 2 -> value = attribute.number();
        case 3 -> value = attribute.integer();
        case 4 -> value = attribute.shortText().orElse(null);
        case 5 -> {
          OnnxTensorReader tensor = OnnxTensorReader.read(attribute.message(), file);
          value = tensor.hasNumbers() ? tensor.toTensor() : null;
        }
        case 8 -> attribute.integers(each -> addIfFew(integers, (double) each));
        default -> attribute.skip();
      }
    }
    if (value != null) {
      attributes.put(name, name.startsWith("value_") ? constant(value) : value);
    } else if (name.equals("value_ints") && integers.size() <= OnnxGraph.Tensor.FEW) {
      attributes.put(name, vector(integers));
    }
  }

  /** A Constant node may give its value as a number instead of a tensor. */
  private static Object constant(Object value) {
    if (value instanceof Long integer) {
      return new OnnxGraph.Tensor(
          StoredType.I64, List.of(), Optional.empty(), List.of(integer.doubleValue()));
    }
    if (value instanceof Float number) {
      return new OnnxGraph.Tensor(
          StoredType.F32, List.of(), Optional.empty(), List.of(number.doubleValue()));
    }
    return value;
  }

  private static OnnxGraph.Tensor vector(List<Double> integers) {
    return new OnnxGraph.Tensor(
        StoredType.I64, List.of((long) integers.size()), Optional.empty(), integers);
  }

  /** Keeps one more than few, so that it shows that there were more. */
  static void addIfFew(List<Double> values, double value) {
    if (values.size() <= OnnxGraph.Tensor.FEW) {
      values.add(value);
    }
  }

  private void count(WireReader at) {
    if (++parts > MAX_PARTS) {
      throw at.corrupt("more than %d parts".formatted(MAX_PARTS));
    }
  }
}

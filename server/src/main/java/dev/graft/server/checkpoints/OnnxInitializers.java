package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Names the parameters of an exported encoder as its Hugging Face checkpoint does.
 *
 * <p>PyTorch's exporter keeps the names of embeddings, norms and biases, but folds the transpose of
 * {@code torch.nn.Linear} into its weight, which becomes {@code onnx::MatMul_123}. The graph still
 * tells whose it was: the product is added to the bias {@code <module>.bias}, so it is {@code
 * <module>.weight}, stored as [in, out].
 */
final class OnnxInitializers {
  private static final String BIAS = ".bias";

  /** Operators that only quantized graphs have. */
  private static final Set<String> QUANTIZED =
      Set.of(
          "DequantizeLinear",
          "DynamicQuantizeLinear",
          "MatMulInteger",
          "ConvInteger",
          "QLinearMatMul",
          "QuantizeLinear");

  private final OnnxGraph graph;
  private final Map<String, TensorEntry> linearWeights = new HashMap<>();

  /** For each tensor in the file, the products that were traced back to a module. */
  private final Map<String, Set<OnnxGraph.Node>> traced = new HashMap<>();

  private OnnxInitializers(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * The parameters by their names in Hugging Face checkpoints.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for quantized and fused graphs,
   *     CORRUPT_CHECKPOINT if shapes contradict each other
   */
  static Map<String, TensorEntry> of(OnnxGraph graph) {
    graph.nodes().forEach(node -> requirePlain(graph, node));
    OnnxInitializers mapping = new OnnxInitializers(graph);
    graph.nodes().forEach(mapping::trace);
    return mapping.entries();
  }

  private static void requirePlain(OnnxGraph graph, OnnxGraph.Node node) {
    if (QUANTIZED.contains(node.operator())) {
      throw unsupported(
          graph,
          node,
          "is quantized (operator " + node.operator() + "): use the export in float32 or float16");
    }
    if (!node.domain().isEmpty() && !node.domain().equals("ai.onnx")) {
      throw unsupported(
          graph,
          node,
          "was optimized for a runtime (operator %s of %s): use the plain export"
              .formatted(node.operator(), node.domain()));
    }
  }

  private static GraftException unsupported(OnnxGraph graph, OnnxGraph.Node node, String problem) {
    return GraftException.failedPrecondition("UNSUPPORTED_OPTION", graph.file() + ": " + problem)
        .with("file", graph.file())
        .with("operator", node.operator());
  }

  private void trace(OnnxGraph.Node node) {
    if (node.is("Add") && node.inputs().size() == 2) {
      traceAdd(node.inputs().get(0), node.inputs().get(1));
      traceAdd(node.inputs().get(1), node.inputs().get(0));
    } else if (node.is("Gemm") && node.inputs().size() == 3 && isBias(node.inputs().get(2))) {
      if (node.number("alpha", 1) != 1
          || node.number("beta", 1) != 1
          || node.integer("transA", 0) != 0) {
        throw unsupported(graph, node, "scales or transposes the input of a linear layer");
      }
      boolean transposed = node.integer("transB", 0) == 0;
      addWeight(node, node.inputs().get(2), node.inputs().get(1), transposed);
    }
  }

  /** x W + b. */
  private void traceAdd(String bias, String product) {
    if (!isBias(bias)) {
      return;
    }
    Optional<OnnxGraph.Node> matrixProduct =
        graph.producer(product).filter(n -> n.is("MatMul") && n.inputs().size() == 2);
    if (matrixProduct.isEmpty()) {
      return; // a norm's bias is added to a product of another kind
    }
    OnnxGraph.Node node = matrixProduct.get();
    String weight = node.inputs().get(1);
    if (graph.tensor(weight).isPresent()) {
      addWeight(node, bias, weight, true);
      return;
    }
    // Exported without folding: the transpose of the weight is computed.
    graph
        .producer(weight)
        .filter(n -> n.is("Transpose") && n.inputs().size() == 1)
        .filter(n -> graph.tensor(n.inputs().get(0)).isPresent())
        .ifPresent(transpose -> addWeight(transpose, bias, transpose.inputs().get(0), false));
  }

  private boolean isBias(String name) {
    return name.endsWith(BIAS)
        && graph.initializers().contains(name)
        && graph.tensor(name).filter(t -> t.dimensions().size() == 1).isPresent();
  }

  private void addWeight(OnnxGraph.Node user, String bias, String weight, boolean transposed) {
    String name = bias.substring(0, bias.length() - BIAS.length()) + ".weight";
    OnnxGraph.Tensor tensor = graph.tensor(weight).orElse(null);
    if (tensor == null || tensor.dimensions().size() != 2) {
      return;
    }
    long[] stored = tensor.shape();
    long[] shape = transposed ? new long[] {stored[1], stored[0]} : stored;
    long outputs = graph.tensor(bias).orElseThrow().dimensions().get(0);
    if (shape[0] != outputs) {
      throw Corruption.of(
          graph.file(),
          name,
          "shape %s does not fit its bias of %d".formatted(Arrays.toString(shape), outputs));
    }
    TensorEntry entry = entry(name, tensor, shape, transposed);
    TensorEntry other = linearWeights.putIfAbsent(name, entry);
    if (other != null && !(other.offset() == entry.offset() && other.transposed() == transposed)) {
      throw Corruption.of(graph.file(), name, "two different products add the bias " + bias);
    }
    traced.computeIfAbsent(weight, w -> new HashSet<>()).add(user);
  }

  private Map<String, TensorEntry> entries() {
    Map<String, TensorEntry> entries = new TreeMap<>(linearWeights);
    for (String name : graph.initializers()) {
      OnnxGraph.Tensor tensor = graph.tensor(name).orElseThrow();
      if (linearWeights.containsKey(name) && !traced.containsKey(name)) {
        throw Corruption.of(graph.file(), name, "is there beside the weight that its bias shows");
      }
      boolean onlyTraced = traced.getOrDefault(name, Set.of()).containsAll(graph.consumers(name));
      if (linearWeights.containsKey(name) || (traced.containsKey(name) && onlyTraced)) {
        continue; // listed under its module's name
      }
      if (isParameter(name)) {
        entries.put(name, entry(name, tensor, tensor.shape(), false));
      }
    }
    return entries;
  }

  private TensorEntry entry(
      String name, OnnxGraph.Tensor tensor, long[] shape, boolean transposed) {
    WireReader.Span span =
        tensor
            .span()
            .orElseThrow(
                () ->
                    Corruption.unsupportedFormat(
                        graph.file(),
                        "encodes the numbers of tensor " + name + " one by one: save it anew"));
    return new TensorEntry(
        name, tensor.type(), shape, graph.file(), span.offset(), span.length(), transposed);
  }

  /** Whether a name is a parameter's path in its model, not one that an exporter made up. */
  private static boolean isParameter(String name) {
    return name.indexOf('.') > 0 && name.charAt(0) != '/' && !name.contains("::");
  }
}

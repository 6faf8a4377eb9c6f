package dev.graft.server.backbones;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Activation functions by their names in configurations (transformers/activations.py). Each is an
 * expression of {@code x}, and, where oneDNN can apply it to a product at once, oneDNN's name for
 * it. Functions with weights of their own (prelu, xielu) are not here.
 */
enum Activation {
  GELU("torch.gelu(x, approximate=\"none\")", "gelu", "none", "gelu", "gelu_python"),
  GELU_TANH(
      "torch.gelu(x, approximate=\"tanh\")",
      "gelu",
      "tanh",
      "gelu_new",
      "gelu_pytorch_tanh",
      "gelu_python_tanh",
      "gelu_accurate",
      "gelu_fast"),
  GELU_CLIPPED("torch.clamp(torch.gelu(x, approximate=\"none\"), -10, 10)", "gelu_10"),
  QUICK_GELU("torch.mul(x, torch.sigmoid(torch.mul(x, 1.702)))", "quick_gelu"),
  SILU("torch.silu(x)", "swish", "none", "silu", "swish"),
  RELU("torch.relu(x)", "relu", "none", "relu"),
  RELU_SQUARED("torch.square(torch.relu(x))", "relu2"),
  RELU6("torch.relu6(x)", "relu6"),
  LEAKY_RELU("torch.leaky_relu(x, 0.01)", "leaky_relu"),
  HARDSWISH("torch.hardswish(x)", "hardswish"),
  MISH("torch.mish(x)", "mish"),
  SIGMOID("torch.sigmoid(x)", "sigmoid"),
  TANH("torch.tanh(x)", "tanh"),
  LAPLACE(
      "torch.mul(torch.add(torch.erf(torch.div(torch.sub(x, 0.707107), 0.39894257498890504)), 1.), 0.5)",
      "laplace"),
  SQRT_SOFTPLUS("torch.sqrt(torch.softplus(x))", "sqrtsoftplus"),
  LINEAR("x", "linear");

  private final String expression;
  private final String fusedAttribute;
  private final String fusedAlgorithm;

  @SuppressWarnings("ImmutableEnumChecker") // made by List.of
  private final List<String> names;

  Activation(String expression, String name) {
    this.expression = expression;
    this.fusedAttribute = "none";
    this.fusedAlgorithm = "none";
    this.names = List.of(name);
  }

  Activation(String expression, String fusedAttribute, String fusedAlgorithm, String... names) {
    this.expression = expression;
    this.fusedAttribute = fusedAttribute;
    this.fusedAlgorithm = fusedAlgorithm;
    this.names = List.of(names);
  }

  static Activation read(ModelConfig config, String key, String defaultName) {
    String name = config.text(key, defaultName);
    return named(name)
        .orElseThrow(
            () ->
                config.unsupported(
                    key,
                    "the activations are "
                        + Arrays.stream(values()).flatMap(each -> each.names.stream()).toList()));
  }

  private static Optional<Activation> named(String name) {
    return Arrays.stream(values()).filter(each -> each.names.contains(name)).findFirst();
  }

  /** For the placeholders of the texts of linear layers. */
  Map<String, Object> literals() {
    boolean fused = !fusedAttribute.equals("none");
    return Map.of(
        "activation", expression,
        "fused_attribute", fusedAttribute,
        "fused_algorithm", fusedAlgorithm,
        "activation_after_fused", fused ? "x" : expression);
  }
}

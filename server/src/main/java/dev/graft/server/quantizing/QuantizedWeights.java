package dev.graft.server.quantizing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Finds the weights of a checkpoint that are stored quantized: the way in for backbones. */
public final class QuantizedWeights {
  private static final String CONFIGURATION = "quantization_config";

  /** Values of {@code quant_method} that {@link #of} knows. */
  private static final List<String> METHODS = List.of("awq", "bitsandbytes", "gguf", "gptq");

  /** One way to store weights quantized. */
  @FunctionalInterface
  interface Scheme {
    /**
     * A weight as this scheme stores it.
     *
     * @param weightName as the unquantized checkpoint names it: {@code
     *     model.layers.0.mlp.up_proj.weight}
     * @param shape what the architecture expects: [out, in]
     * @return empty where this weight is not stored quantized
     */
    Optional<QuantizedWeight> find(String weightName, long[] shape);
  }

  private final List<Scheme> schemes;

  private QuantizedWeights(List<Scheme> schemes) {
    this.schemes = List.copyOf(schemes);
  }

  /**
   * Those of a checkpoint; its {@code config.json} decides how they are stored.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for a way that is not known
   */
  public static QuantizedWeights of(Checkpoint checkpoint) {
    checkMethod(checkpoint.configuration());
    return new QuantizedWeights(
        List.of(
            (name, shape) -> Awq.find(checkpoint, name, shape),
            (name, shape) -> BitsAndBytes.find(checkpoint, name, shape),
            (name, shape) -> GgmlWeight.find(checkpoint, name, shape),
            (name, shape) -> Gptq.find(checkpoint, name, shape)));
  }

  /**
   * Checks that a configuration asks for nothing that cannot be decoded.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION
   */
  public static void checkMethod(JsonNode configuration) {
    JsonNode quantization = configuration.path(CONFIGURATION);
    boolean absent =
        quantization.isMissingNode()
            || quantization.isNull()
            || (quantization.isContainerNode() && quantization.isEmpty());
    String method = quantization.path("quant_method").asText("").toLowerCase(Locale.ROOT);
    if (absent || METHODS.contains(method)) {
      return;
    }
    throw GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "config.json: quantization_config: quant_method = \"%s\" is not supported; supported are %s. Use the"
                    .formatted(method, METHODS)
                + " unquantized checkpoint, or one of these")
        .with("option", CONFIGURATION)
        .with("value", method);
  }

  /**
   * A weight as it is stored quantized.
   *
   * @param weightName with the checkpoint's prefix, as the unquantized checkpoint names it
   * @param shape what the architecture expects: [out, in] of a linear layer
   * @return empty where it is not stored quantized
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT or UNSUPPORTED_OPTION
   */
  public Optional<QuantizedWeight> find(String weightName, long[] shape) {
    return schemes.stream().flatMap(scheme -> scheme.find(weightName, shape).stream()).findFirst();
  }
}

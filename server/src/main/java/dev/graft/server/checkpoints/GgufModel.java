package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file as a Hugging Face checkpoint would be.
 *
 * @param configuration as in {@code config.json}; its {@code quantization_config} has each tensor's
 *     type
 * @param tensors by Hugging Face name
 */
record GgufModel(Gguf gguf, ObjectNode configuration, Map<String, GgufTensor> tensors) {
  static final String ARCHITECTURE = "general.architecture";

  private static final List<String> SUPPORTED = List.of("bert", "llama", "qwen2", "qwen3");

  static GgufModel of(Gguf gguf) {
    String architecture = gguf.metadata().text(ARCHITECTURE);
    GgufNames names = GgufNames.of(architecture).orElseThrow(() -> unsupported(gguf, architecture));
    ObjectNode configuration =
        architecture.equals("bert")
            ? GgufBertConfiguration.of(gguf)
            : GgufDecoderConfiguration.of(gguf, architecture);
    int heads = configuration.path("num_attention_heads").intValue();
    Map<String, GgufTensor> tensors =
        names.rename(gguf, heads, configuration.path("num_key_value_heads").asInt(heads));
    ObjectNode quantization = configuration.putObject("quantization_config");
    quantization.put("quant_method", "gguf");
    ObjectNode types = quantization.putObject("tensor_types");
    tensors.forEach((name, tensor) -> types.put(name, tensor.type().name()));
    return new GgufModel(gguf, configuration, tensors);
  }

  private static GraftException unsupported(Gguf gguf, String architecture) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_ARCHITECTURE",
            "%s: architecture \"%s\" is not supported in GGUF; supported are %s"
                .formatted(gguf.file(), architecture, String.join(", ", SUPPORTED)))
        .with("model_type", architecture)
        .with("supported", String.join(",", SUPPORTED));
  }
}

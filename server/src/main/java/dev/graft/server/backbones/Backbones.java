package dev.graft.server.backbones;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.quantizing.QuantizedWeights;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.TorchDevice;
import java.util.List;

/** Loads backbones: the way in. */
public final class Backbones {
  private static final List<String> SUPPORTED =
      List.of(
          "bert",
          "camembert",
          "gpt2",
          "llama",
          "mistral",
          "qwen2",
          "qwen3",
          "roberta",
          "xlm-roberta");

  private Backbones() {}

  /** Values of {@code model_type} that can be loaded, sorted. */
  public static List<String> supported() {
    return SUPPORTED;
  }

  /**
   * Loads a backbone. All its tensors are found and checked; what is not yet in the type of a
   * computation is made at the first one.
   *
   * @param kernels which products are computed how
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_ARCHITECTURE, UNSUPPORTED_OPTION,
   *     MISSING_TENSOR or CORRUPT_CHECKPOINT
   */
  public static Backbone load(Checkpoint checkpoint, TorchDevice device, Kernels kernels) {
    return load(checkpoint, device, kernels, Long.MAX_VALUE);
  }

  /**
   * The same with a bound on memory.
   *
   * @param weightsMemoryBytes where the weights would take more in the type of a computation,
   *     blocks are in memory only while they are computed with; quantized ones always
   */
  public static Backbone load(
      Checkpoint checkpoint, TorchDevice device, Kernels kernels, long weightsMemoryBytes) {
    Architecture architecture = architecture(checkpoint.configuration());
    Parameters parameters =
        Parameters.find(architecture, checkpoint, QuantizedWeights.of(checkpoint));
    return new ProgramBackbone(
        architecture, parameters, checkpoint.digest(), device, kernels, weightsMemoryBytes);
  }

  static Architecture architecture(JsonNode configuration) {
    ModelConfig config = ModelConfig.of(configuration);
    String modelType = config.text("model_type", "");
    return switch (modelType) {
      case "bert" -> Bert.bert(config);
      case "roberta", "xlm-roberta", "camembert" -> Bert.roberta(config, modelType);
      case "gpt2" -> Gpt2.gpt2(config);
      case "llama" -> Llama.llama(config);
      case "mistral" -> Llama.mistral(config);
      case "qwen2" -> Qwen.qwen2(config);
      case "qwen3" -> Qwen.qwen3(config);
      default ->
          throw GraftException.failedPrecondition(
                  "UNSUPPORTED_ARCHITECTURE",
                  "config.json: model_type \"%s\" is not supported; supported are %s"
                      .formatted(modelType, String.join(", ", SUPPORTED)))
              .with("model_type", modelType)
              .with("supported", String.join(",", SUPPORTED));
    };
  }
}

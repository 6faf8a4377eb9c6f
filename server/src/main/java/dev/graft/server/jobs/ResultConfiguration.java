package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import java.util.Optional;

/** {@code config.json} of a result. */
final class ResultConfiguration {
  private static final String QUANTIZATION = "quantization_config";

  private ResultConfiguration() {}

  /**
   * The source's, with the type and the quantization of the result.
   *
   * @param quantization empty if the result is not quantized
   */
  static ObjectNode of(
      Checkpoint source, Optional<StoredType> dataType, Optional<ObjectNode> quantization) {
    ObjectNode configuration = source.configuration().deepCopy();
    configuration.remove(QUANTIZATION);
    // The older name is kept where it is used: both are read everywhere.
    String key = configuration.has("torch_dtype") ? "torch_dtype" : "dtype";
    dataType.ifPresent(type -> configuration.put(key, torchName(type)));
    quantization.ifPresent(options -> configuration.set(QUANTIZATION, options));
    return configuration;
  }

  private static String torchName(StoredType type) {
    return switch (type) {
      case F32 -> "float32";
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      default -> throw new IllegalArgumentException("Nothing is cast to " + type);
    };
  }
}

package dev.graft.server.quantizing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import java.util.Optional;

/**
 * What {@code quantization_config} says that matters to a reader: in how many bits. Everything else
 * in it is repeated beside each weight, or is about how bitsandbytes computes.
 */
enum BitsAndBytesBits {
  FOUR,
  EIGHT;

  private static final String SECTION = "quantization_config";

  /** Empty if the checkpoint is not quantized by bitsandbytes. */
  static Optional<BitsAndBytesBits> of(Checkpoint checkpoint) {
    JsonNode options = checkpoint.configuration().path(SECTION);
    boolean four = flag(checkpoint, options, "load_in_4bit");
    boolean eight = flag(checkpoint, options, "load_in_8bit");
    JsonNode method = options.path("quant_method");
    // The first versions of transformers wrote no method, as there was only this one.
    if (!method.asText("").equalsIgnoreCase("bitsandbytes")
        && !(absent(method) && (four || eight))) {
      return Optional.empty();
    }
    if (four == eight) {
      throw GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT",
              "%s: config.json: %s: exactly one of load_in_4bit and load_in_8bit must be true"
                  .formatted(checkpoint.directory(), SECTION))
          .with("option", SECTION);
    }
    return Optional.of(four ? FOUR : EIGHT);
  }

  /** Later versions write each flag a second time with an underscore. */
  private static boolean flag(Checkpoint checkpoint, JsonNode options, String key) {
    return isTrue(checkpoint, options, key) || isTrue(checkpoint, options, "_" + key);
  }

  private static boolean isTrue(Checkpoint checkpoint, JsonNode options, String key) {
    JsonNode value = options.path(key);
    if (!absent(value) && !value.isBoolean()) {
      throw GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT",
              "%s: config.json: %s: %s must be true or false"
                  .formatted(checkpoint.directory(), SECTION, key))
          .with("option", SECTION + "." + key);
    }
    return value.asBoolean();
  }

  private static boolean absent(JsonNode value) {
    return value.isMissingNode() || value.isNull();
  }
}

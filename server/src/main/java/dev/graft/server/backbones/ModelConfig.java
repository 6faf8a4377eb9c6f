package dev.graft.server.backbones;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * A model's {@code config.json}, or an object in it, read with its types and ranges checked. A key
 * that is absent has its default, as in transformers; {@code null} is a value of its own, which
 * only the optional options take.
 */
record ModelConfig(JsonNode object, String where) {
  /** Far above every published model; keeps sums and texts of hostile configurations small. */
  static final int MAX_SIZE = 1 << 24;

  private static final int MAX_BLOCKS = 4096;

  static ModelConfig of(JsonNode object) {
    return new ModelConfig(object, "config.json");
  }

  boolean has(String key) {
    return object.has(key);
  }

  /** Whether the option is there and not null. */
  boolean isSet(String key) {
    return object.hasNonNull(key);
  }

  /** An integer from 1 to {@link #MAX_SIZE}. */
  int size(String key, int defaultValue) {
    return has(key) ? integer(key, 1, MAX_SIZE) : defaultValue;
  }

  /** A number of blocks. */
  int blocks(String key, int defaultValue) {
    return has(key) ? integer(key, 1, MAX_BLOCKS) : defaultValue;
  }

  /** An integer from 1 to {@link #MAX_SIZE}; empty if it is absent or null. */
  OptionalInt optionalSize(String key) {
    return isSet(key) ? OptionalInt.of(integer(key, 1, MAX_SIZE)) : OptionalInt.empty();
  }

  int integer(String key, int min, int max) {
    JsonNode value = object.get(key);
    if (value == null
        || !value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < min
        || value.intValue() > max) {
      throw invalid(key, "an integer from " + min + " to " + max);
    }
    return value.intValue();
  }

  boolean flag(String key, boolean defaultValue) {
    if (!has(key)) {
      return defaultValue;
    }
    if (!object.get(key).isBoolean()) {
      throw invalid(key, "true or false");
    }
    return object.get(key).booleanValue();
  }

  /** A finite number above 0. */
  double positive(String key, double defaultValue) {
    return has(key) ? positive(key) : defaultValue;
  }

  double positive(String key) {
    JsonNode value = object.get(key);
    if (value == null
        || !value.isNumber()
        || !Double.isFinite(value.doubleValue())
        || value.doubleValue() <= 0) {
      throw invalid(key, "a finite number above 0");
    }
    return value.doubleValue();
  }

  /** A finite number above 0; empty if it is absent, null or 0, which Python takes for unset. */
  OptionalDouble optionalNumber(String key) {
    boolean unset =
        !isSet(key) || (object.get(key).isNumber() && object.get(key).doubleValue() == 0);
    return unset ? OptionalDouble.empty() : OptionalDouble.of(positive(key));
  }

  String text(String key, String defaultValue) {
    if (!has(key)) {
      return defaultValue;
    }
    if (!object.get(key).isTextual()) {
      throw invalid(key, "a text");
    }
    return object.get(key).textValue();
  }

  /** A list of texts; empty if it is absent or null. */
  Optional<List<String>> texts(String key) {
    if (!isSet(key)) {
      return Optional.empty();
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode element : object.get(key)) {
      texts.add(element.textValue());
    }
    if (!object.get(key).isArray() || texts.contains(null)) {
      throw invalid(key, "a list of texts");
    }
    return Optional.of(texts);
  }

  /** An object; empty if it is absent, null or has no entries. */
  Optional<ModelConfig> object(String key) {
    if (!isSet(key) || (object.get(key).isEmpty() && object.get(key).isContainerNode())) {
      return Optional.empty();
    }
    if (!object.get(key).isObject()) {
      throw invalid(key, "an object");
    }
    return Optional.of(new ModelConfig(object.get(key), where + ": " + key));
  }

  /** An option that is not implemented must be absent, null, false or empty. */
  void refuse(String key, String why) {
    JsonNode value = object.get(key);
    boolean harmless =
        value == null
            || value.isNull()
            || (value.isBoolean() && !value.booleanValue())
            || (value.isContainerNode() && value.isEmpty());
    if (!harmless) {
      throw unsupported(key, why);
    }
  }

  GraftException unsupported(String key, String why) {
    String value = shown(key);
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "%s: %s = %s is not supported: %s".formatted(where, key, value, why))
        .with("option", key)
        .with("value", value);
  }

  /** The error of a value that no model can have. */
  GraftException invalid(String key, String expected) {
    return GraftException.failedPrecondition(
            "CORRUPT_CHECKPOINT",
            "%s: %s must be %s; found %s".formatted(where, key, expected, shown(key)))
        .with("option", key);
  }

  private String shown(String key) {
    String text = has(key) ? object.get(key).toString() : "nothing";
    return text.length() <= 100 ? text : text.substring(0, 100) + "…";
  }
}

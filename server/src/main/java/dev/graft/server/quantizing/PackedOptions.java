package dev.graft.server.quantizing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code quantization_config} says of weights whose codes are packed into words of 32 bits:
 * the options of AutoGPTQ, AutoAWQ, GPTQModel and transformers. Options that only say how a
 * checkpoint was made are not looked at.
 */
record PackedOptions(Checkpoint checkpoint, JsonNode object) {
  private static final String SECTION = "quantization_config";
  private static final int MAX_SHOWN_CHARACTERS = 100;

  /**
   * The options of a checkpoint that was quantized by {@code method}, read if they are all known.
   *
   * @param weight the prefix of a weight's tensors: config.json must not be silent on what is
   *     quantized
   * @return empty if the checkpoint is not quantized, or by another method
   */
  static Optional<PackedOptions> of(Checkpoint checkpoint, String method, String weight) {
    boolean packed = checkpoint.find(weight + "qweight").isPresent();
    JsonNode object = checkpoint.configuration().get(SECTION);
    if (object == null || object.isNull()) {
      if (packed) {
        throw undeclared(checkpoint, weight);
      }
      return Optional.empty();
    }
    PackedOptions options = new PackedOptions(checkpoint, object);
    if (!object.isObject()) {
      throw options.corrupt("must be an object");
    }
    Optional<String> found = options.agreed("quant_method", "method");
    if (found.isEmpty() && packed) {
      throw options.unsupported("quant_method", "quantized weights need it: gptq or awq");
    }
    if (found.equals(Optional.of("marlin"))) {
      throw options.unsupported("quant_method", "Marlin's layout is not read: save it as gptq");
    }
    if (!found.equals(Optional.of(method))) {
      return Optional.empty();
    }
    options.refuseOtherLayouts();
    return Optional.of(options);
  }

  private static GraftException undeclared(Checkpoint checkpoint, String weight) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            ("%s: tensor %sqweight is quantized, but config.json has no %s, which alone decides. If"
                    + " there is a quantize_config.json or quant_config.json, put its object there"
                    + " and add \"quant_method\".")
                .formatted(checkpoint.directory(), weight, SECTION))
        .with("tensor", weight + "qweight")
        .with("option", SECTION);
  }

  /** Options under which the tensors lie otherwise, or under which they are not all there is. */
  private void refuseOtherLayouts() {
    if (!agreed("pack_dtype").orElse("int32").equals("int32")) {
      throw unsupported("pack_dtype", "only words of 32 bits are read");
    }
    refuseSet("is_marlin_format", "Marlin's layout is not read: save it as gptq");
    refuseSet("adapter", "save the model without its adapter");
    refuseSet("rotation", "its layers also need a Hadamard transform of what they are given");
    JsonNode rules = object.path("dynamic");
    for (Iterator<String> names = rules.fieldNames(); names.hasNext(); ) {
      // A rule "-:pattern" leaves modules as they are, and those are stored as they are.
      if (!names.next().startsWith("-:")) {
        throw unsupported("dynamic", "modules with settings of their own are not read");
      }
    }
  }

  private void refuseSet(String key, String why) {
    JsonNode value = object.path(key);
    if (!value.isMissingNode()
        && !value.isNull()
        && !(value.isBoolean() && !value.booleanValue())) {
      throw unsupported(key, why);
    }
  }

  /** Bits of a code. */
  int bits(Set<Integer> read) {
    int bits = integer("bits");
    if (!read.contains(bits)) {
      throw unsupported("bits", "%s are read".formatted(read));
    }
    return bits;
  }

  /** Number of consecutive inputs with a scale of their own; {@code inputs} where it is -1. */
  long groupSize(long inputs) {
    int size = integer("group_size");
    if (size != -1 && size < 1) {
      throw corrupt("group_size must be above 0, or -1 for a single group; found " + size);
    }
    return size == -1 ? inputs : size;
  }

  private int integer(String key) {
    JsonNode value = object.path(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw corrupt("%s must be an integer; found %s".formatted(key, shown(key)));
    }
    return value.intValue();
  }

  /** A flag that is false unless it is set. */
  boolean flag(String key) {
    JsonNode value = object.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return false;
    }
    if (!value.isBoolean()) {
      throw corrupt("%s must be true or false; found %s".formatted(key, shown(key)));
    }
    return value.booleanValue();
  }

  /** How the tensors are laid out, in lower case, by whatever name it is said. */
  Optional<String> format() {
    return agreed("checkpoint_format", "format", "version");
  }

  /** The text, in lower case, of options that mean the same, and must not contradict each other. */
  Optional<String> agreed(String... synonyms) {
    String first = null;
    String agreed = null;
    for (String key : synonyms) {
      JsonNode value = object.path(key);
      if (value.isMissingNode() || value.isNull()) {
        continue;
      }
      if (!value.isTextual()) {
        throw corrupt("%s must be a text; found %s".formatted(key, shown(key)));
      }
      String text = value.textValue().toLowerCase(Locale.ROOT);
      if (agreed != null && !agreed.equals(text)) {
        throw unsupported(key, "%s says %s".formatted(first, agreed));
      }
      first = key;
      agreed = text;
    }
    return Optional.ofNullable(agreed);
  }

  /**
   * Whether {@code modules_to_not_convert} names a module, by the end of its name or by the
   * beginning of it up to a dot.
   */
  boolean leavesAsItIs(String module) {
    return texts("modules_to_not_convert").stream()
        .anyMatch(
            key ->
                module.endsWith(key)
                    || module.equals(key)
                    || module.startsWith(key.endsWith(".") ? key : key + "."));
  }

  private List<String> texts(String key) {
    JsonNode value = object.path(key);
    List<String> texts = new ArrayList<>();
    if (value.isMissingNode() || value.isNull()) {
      return texts;
    }
    for (JsonNode element : value) {
      texts.add(element.textValue());
    }
    if (!value.isArray() || texts.contains(null)) {
      throw corrupt("%s must be a list of texts; found %s".formatted(key, shown(key)));
    }
    return texts;
  }

  /** The error of an option that is not read. */
  GraftException unsupported(String key, String why) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "%s: config.json: %s: %s = %s is not supported: %s"
                .formatted(checkpoint.directory(), SECTION, key, shown(key), why))
        .with("option", SECTION + "." + key)
        .with("value", shown(key));
  }

  /** The error of options that no checkpoint can have. */
  GraftException corrupt(String problem) {
    return GraftException.failedPrecondition(
            "CORRUPT_CHECKPOINT",
            "%s: config.json: %s: %s".formatted(checkpoint.directory(), SECTION, problem))
        .with("option", SECTION);
  }

  private String shown(String key) {
    String text = object.has(key) ? object.get(key).toString() : "nothing";
    return text.length() <= MAX_SHOWN_CHARACTERS
        ? text
        : text.substring(0, MAX_SHOWN_CHARACTERS) + "…";
  }
}

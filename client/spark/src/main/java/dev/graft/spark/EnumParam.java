package dev.graft.spark;

import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.Identifiable;

/**
 * A parameter whose values are those of an enum of the contract, by the names that people use:
 * {@code COMPUTE_DTYPE_INT8_DYNAMIC} is {@code int8-dynamic}.
 */
final class EnumParam extends Param<String> {
  private static final String UNSPECIFIED = "UNSPECIFIED";

  private final Map<String, Integer> numbers; // by name

  private EnumParam(Identifiable parent, String name, String what, Map<String, Integer> numbers) {
    super(parent, name, what + ": " + String.join(", ", numbers.keySet()));
    this.numbers = numbers;
  }

  /** Takes all values of an enum but the unspecified one and those named. */
  static EnumParam of(
      Identifiable parent, String name, String what, EnumDescriptor type, String... without) {
    Map<String, Integer> numbers = numbers(type);
    List.of(without).forEach(numbers::remove);
    return new EnumParam(parent, name, what, numbers);
  }

  private static Map<String, Integer> numbers(EnumDescriptor type) {
    Map<String, Integer> numbers = new LinkedHashMap<>();
    int prefix = type.findValueByNumber(0).getName().length() - UNSPECIFIED.length();
    for (EnumValueDescriptor value : type.getValues()) {
      if (value.getNumber() != 0) {
        String name = value.getName().substring(prefix).toLowerCase(Locale.ROOT);
        numbers.put(name.replace('_', '-'), value.getNumber());
      }
    }
    return numbers;
  }

  @Override
  public void validate(String value) {
    if (!numbers.containsKey(value)) {
      throw new IllegalArgumentException(
          "%s is '%s', but must be one of %s"
              .formatted(name(), value, String.join(", ", numbers.keySet())));
    }
  }

  /** The number in the contract of the value that a stage has; 0, unspecified, if it has none. */
  static int number(Params stage, Param<String> param) {
    Map<String, Integer> numbers = ((EnumParam) param).numbers;
    return stage.isDefined(param) ? numbers.get(stage.getOrDefault(param)) : 0;
  }
}

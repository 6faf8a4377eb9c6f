package dev.graft.cli.bundle;

import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * People's names of the contract's enum values: lower case, without the prefix that all values of
 * an enum share. {@code LR_SCHEDULER_TYPE_LINEAR} is {@code linear}.
 */
public final class EnumNames {
  private static final String UNSPECIFIED = "UNSPECIFIED";

  private EnumNames() {}

  /** A value's name. */
  public static String name(EnumValueDescriptor value) {
    return value.getName().substring(prefix(value.getType()).length()).toLowerCase(Locale.ROOT);
  }

  /** The value of a name; case does not count, nor does {@code -} for {@code _}. */
  public static Optional<EnumValueDescriptor> value(EnumDescriptor type, String name) {
    String wanted = prefix(type) + name.toUpperCase(Locale.ROOT).replace('-', '_');
    return Optional.ofNullable(type.findValueByName(wanted))
        .filter(value -> value.getNumber() != 0);
  }

  /** All names but that of the unspecified value. */
  public static List<String> names(EnumDescriptor type) {
    return type.getValues().stream()
        .filter(value -> value.getNumber() != 0)
        .map(EnumNames::name)
        .toList();
  }

  private static String prefix(EnumDescriptor type) {
    String first = type.findValueByNumber(0).getName();
    return first.substring(0, first.length() - UNSPECIFIED.length());
  }
}

package dev.graft.cli;

import java.util.ArrayList;
import java.util.List;

/** Makes {@code --learning_rate} and {@code --learning-rate} the same. */
final class OptionNames {
  private OptionNames() {}

  /** The arguments with {@code -} for {@code _} in option names; values stay as they are. */
  static String[] normalize(String... args) {
    List<String> normalized = new ArrayList<>();
    boolean options = true;
    for (String arg : args) {
      options &= !arg.equals("--");
      normalized.add(options && arg.startsWith("--") ? normalizeName(arg) : arg);
    }
    return normalized.toArray(String[]::new);
  }

  private static String normalizeName(String option) {
    int equals = option.indexOf('=');
    int end = equals < 0 ? option.length() : equals;
    return option.substring(0, end).replace('_', '-') + option.substring(end);
  }
}

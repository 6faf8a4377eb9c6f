package dev.graft.server.jobs;

import dev.graft.server.backbones.LinearWeights;
import java.util.List;
import java.util.Optional;

/**
 * Linear layers that stay unquantized. Reference: {@code should_convert_module} of transformers,
 * for names that are no regular expressions.
 *
 * @param names of modules; empty means transformers' default
 */
record SkippedModules(LinearWeights weights, Optional<List<String>> names) {
  boolean contains(String weightName) {
    if (names.isEmpty()) {
      return weights.isLeftByDefault(weightName);
    }
    String module = LinearWeights.module(weightName);
    return names.get().stream().anyMatch(name -> matches(module, name));
  }

  /** The module, what lies in it, or what has it at the end of its name. */
  private static boolean matches(String module, String name) {
    return module.startsWith(name + ".") || module.endsWith(name);
  }
}

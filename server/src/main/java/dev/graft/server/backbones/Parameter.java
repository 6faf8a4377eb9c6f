package dev.graft.server.backbones;

import java.util.Arrays;
import java.util.List;

/**
 * A tensor that an architecture needs.
 *
 * @param name the name that the program looks up, within its block or the model
 * @param shape expected size of each dimension, as the program uses it
 * @param turned whether checkpoints store the transpose ({@code Conv1D} of GPT-2)
 * @param otherNames names that older or other checkpoints use instead, in order of preference
 */
record Parameter(String name, List<Long> shape, boolean turned, List<String> otherNames) {
  static Parameter of(String name, long... shape) {
    return new Parameter(name, Arrays.stream(shape).boxed().toList(), false, List.of());
  }

  Parameter asTurned() {
    return new Parameter(name, shape, true, otherNames);
  }

  Parameter or(String... others) {
    return new Parameter(name, shape, turned, List.of(others));
  }
}

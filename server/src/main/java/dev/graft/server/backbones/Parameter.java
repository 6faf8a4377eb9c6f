package dev.graft.server.backbones;

import java.util.Arrays;
import java.util.List;

/**
 * A tensor that an architecture needs.
 *
 * @param name the name that the program looks up, within its block or the model
 * @param shape expected size of each dimension, as the program uses it
 * @param turned whether checkpoints store the transpose ({@code Conv1D} of GPT-2)
 * @param table whether only some of its rows are used at a time: it stays as it is stored, and rows
 *     are converted when they are used
 * @param otherNames names that older or other checkpoints use instead, in order of preference
 */
record Parameter(
    String name, List<Long> shape, boolean turned, boolean table, List<String> otherNames) {
  static Parameter of(String name, long... shape) {
    return new Parameter(name, Arrays.stream(shape).boxed().toList(), false, false, List.of());
  }

  static Parameter table(String name, long rows, long size) {
    return new Parameter(name, List.of(rows, size), false, true, List.of());
  }

  Parameter asTurned() {
    return new Parameter(name, shape, true, table, otherNames);
  }

  Parameter or(String... others) {
    return new Parameter(name, shape, turned, table, List.of(others));
  }
}

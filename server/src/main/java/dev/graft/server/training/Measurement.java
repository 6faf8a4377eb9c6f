package dev.graft.server.training;

import java.util.Map;

/** Metrics of an evaluation in the making. */
interface Measurement {
  /**
   * Takes what the objective's program measured in some batches.
   *
   * @param first number of the first item
   */
  void add(float[] measured, int first);

  /**
   * The metrics of so many items by name, with {@code eval_}; those without meaning are left out.
   */
  Map<String, Double> metrics(int items);

  /** For an objective of which only the loss is known. */
  static Measurement none() {
    return new Measurement() {
      @Override
      public void add(float[] measured, int first) {}

      @Override
      public Map<String, Double> metrics(int items) {
        return Map.of();
      }
    };
  }
}

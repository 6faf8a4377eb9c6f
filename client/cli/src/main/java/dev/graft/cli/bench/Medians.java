package dev.graft.cli.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** Several runs of one measurement. */
final class Medians {
  private final List<Measurement> runs = new ArrayList<>();

  void add(Measurement run) {
    runs.add(run);
  }

  /** Empty where the measurement has no such figure. */
  OptionalDouble of(String name) {
    double[] sorted =
        runs.stream()
            .map(run -> run.find(name))
            .flatMapToDouble(OptionalDouble::stream)
            .sorted()
            .toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2);
  }
}

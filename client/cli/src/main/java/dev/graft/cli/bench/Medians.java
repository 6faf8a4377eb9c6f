package dev.graft.cli.bench;

import java.util.ArrayList;
import java.util.List;

/** Several runs of one measurement. */
final class Medians {
  private final List<Measurement> runs = new ArrayList<>();

  void add(Measurement run) {
    runs.add(run);
  }

  double of(String name) {
    double[] sorted = runs.stream().mapToDouble(run -> run.get(name)).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}

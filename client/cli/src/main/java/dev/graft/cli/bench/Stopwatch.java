package dev.graft.cli.bench;

import java.io.IOException;
import java.util.Map;

/** Measures a stretch of work of this process. */
final class Stopwatch {
  private final double start = System.nanoTime() / 1e9;
  private final double othersBusy = othersBusySeconds();
  private double seconds;

  private Stopwatch() throws IOException {}

  static Stopwatch start() throws IOException {
    return new Stopwatch();
  }

  /** Puts down how long it took, and how many cores other processes used meanwhile. */
  void stop(Map<String, Object> figures) throws IOException {
    seconds = System.nanoTime() / 1e9 - start;
    figures.put("seconds", seconds);
    figures.put("other_cores", (othersBusySeconds() - othersBusy) / seconds);
  }

  /** Wall-clock time up to {@link #stop}. */
  double seconds() {
    return seconds;
  }

  private static double othersBusySeconds() throws IOException {
    return ProcessFigures.busySeconds() - ProcessFigures.ownSeconds();
  }
}

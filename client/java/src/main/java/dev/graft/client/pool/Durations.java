package dev.graft.client.pool;

import java.time.Duration;

/** Durations for people. */
final class Durations {
  private Durations() {}

  /** As in "2 min", "90 s" or "1500 ms". */
  static String text(Duration duration) {
    long millis = duration.toMillis();
    if (millis % 1_000 != 0) {
      return millis + " ms";
    }
    long seconds = duration.toSeconds();
    return seconds % 60 == 0 && seconds > 0 ? seconds / 60 + " min" : seconds + " s";
  }
}

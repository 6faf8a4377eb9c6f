package dev.graft.server.jobs;

/**
 * How far values are from what they were made from. Not for several threads.
 *
 * <p>Sums are of 64 bits: those of a large tensor's squares need them.
 */
final class ErrorSums {
  private double squaredDifference;
  private double squaredSource;
  private double largest;

  void add(float[] source, float[] result, int count) {
    for (int i = 0; i < count; i++) {
      double difference = (double) result[i] - source[i];
      squaredDifference += difference * difference;
      squaredSource += (double) source[i] * source[i];
      largest = Math.max(largest, Math.abs(difference));
    }
  }

  void add(ErrorSums other) {
    squaredDifference += other.squaredDifference;
    squaredSource += other.squaredSource;
    largest = Math.max(largest, other.largest);
  }

  /** Frobenius norm of the difference divided by that of the source; 0 where nothing changed. */
  double relative() {
    return squaredDifference == 0 ? 0 : Math.sqrt(squaredDifference / squaredSource);
  }

  /** Largest absolute difference. */
  double largest() {
    return largest;
  }
}

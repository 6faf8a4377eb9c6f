package dev.graft.server.jobs;

import java.io.IOException;

/**
 * How far values are from what they were made from. Not for several threads.
 *
 * <p>Sums are of 64 bits: those of a large tensor's squares need them.
 */
final class ErrorSums {
  private double squaredDifference;
  private double squaredSource;
  private double largest;

  /** Those of values and of what was made from them. */
  static ErrorSums between(SourceValues source, SourceValues result, long count)
      throws IOException {
    ErrorSums errors = new ErrorSums();
    int piece = (int) Math.min(SourceValues.MOST_AT_ONCE, count);
    float[] values = new float[piece];
    float[] results = new float[piece];
    for (long from = 0; from < count; from += piece) {
      int length = (int) Math.min(piece, count - from);
      source.read(from, values, length);
      result.read(from, results, length);
      errors.add(values, results, length);
    }
    return errors;
  }

  void add(float[] source, float[] result, int count) {
    double differences = 0;
    double sources = 0;
    float most = 0;
    for (int i = 0; i < count; i++) {
      float difference = result[i] - source[i]; // of 32 bits: conversions cost more than all else
      differences += (double) difference * difference;
      sources += (double) source[i] * source[i];
      float magnitude = Math.abs(difference);
      most = magnitude > most ? magnitude : most; // not Math.max, which costs as much as the rest
    }
    squaredDifference += differences;
    squaredSource += sources;
    largest = Double.isNaN(differences) ? Double.NaN : Math.max(largest, most);
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

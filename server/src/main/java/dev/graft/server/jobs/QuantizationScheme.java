package dev.graft.server.jobs;

import java.util.List;

/** How weights are stored. */
public enum QuantizationScheme {
  NONE,
  NF4,
  FP4,
  INT8,
  Q8_0,
  Q4_0;

  /** Those that this version writes. */
  public static List<QuantizationScheme> written() {
    return List.of(NONE, NF4, FP4, INT8);
  }
}

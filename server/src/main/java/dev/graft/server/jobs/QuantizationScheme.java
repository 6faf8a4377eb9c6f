package dev.graft.server.jobs;

/** How weights are stored. */
public enum QuantizationScheme {
  NONE,
  NF4,
  FP4,
  INT8,
  Q8_0,
  Q4_0
}

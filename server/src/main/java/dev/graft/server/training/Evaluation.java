package dev.graft.server.training;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * Evaluation metrics.
 *
 * @param step optimizer steps done
 * @param epoch epochs done, fractional
 * @param metrics by name, each with {@code eval_}
 */
public record Evaluation(long step, double epoch, Map<String, Double> metrics) {
  public Evaluation {
    metrics = Collections.unmodifiableMap(new TreeMap<>(metrics));
  }
}

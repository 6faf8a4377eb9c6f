package dev.graft.server.training;

import dev.graft.server.torch.Tensor;
import java.util.List;
import java.util.Map;

/** Each item's pair against the pairs of the other items of its batch. */
record InfoNceLoss(Objective.InfoNce objective) implements Loss {
  @Override
  public String program() {
    return "info_nce.py";
  }

  @Override
  public Map<String, Object> literals() {
    return Map.of("temperature", objective.temperature(), "symmetric", objective.symmetric());
  }

  @Override
  public Map<String, Tensor> tensors(Upload upload, FeatureDataset dataset) {
    return Map.of();
  }

  @Override
  public List<String> metrics() {
    return List.of("eval_accuracy");
  }

  /** Accuracy is the share of items whose own pair is the nearest of its batch. */
  @Override
  public Measurement measurement(FeatureDataset dataset) {
    return new Measurement() {
      private long nearest;

      @Override
      public void add(float[] measured, int first) {
        for (float hit : measured) {
          nearest += (long) hit;
        }
      }

      @Override
      public Map<String, Double> metrics(int items) {
        return Map.of("eval_accuracy", (double) nearest / items);
      }
    };
  }
}

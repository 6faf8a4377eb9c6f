package dev.graft.server.training;

import dev.graft.server.torch.Tensor;
import java.util.List;
import java.util.Map;

/** Pairs that are alike or not, or vectors to be alike to. */
record CosineEmbeddingLoss(Objective.CosineEmbedding objective) implements Loss {
  @Override
  public String program() {
    return "cosine_embedding.py";
  }

  @Override
  public Map<String, Object> literals() {
    return Map.of("margin", objective.margin());
  }

  @Override
  public Map<String, Tensor> tensors(Upload upload, FeatureDataset dataset) {
    return Map.of("labels", upload.labelValues(dataset));
  }

  @Override
  public List<String> metrics() {
    return List.of();
  }

  @Override
  public Measurement measurement(FeatureDataset dataset) {
    return Measurement.none();
  }
}

package dev.graft.server.training;

import dev.graft.server.torch.Tensor;
import java.util.List;
import java.util.Map;

/** An objective at work: its program, its tensors, what is measured with it. */
interface Loss {
  /** Resource with the methods {@code loss} and {@code measure}. */
  String program();

  /** What the placeholders of the program stand for. */
  Map<String, Object> literals();

  /** What {@code loss} and {@code measure} find in their data besides features and pairs. */
  Map<String, Tensor> tensors(Upload upload, FeatureDataset dataset);

  /** Names of all metrics that may come of it, {@code eval_loss} not among them. */
  List<String> metrics();

  /** An empty measurement of a dataset. */
  Measurement measurement(FeatureDataset dataset);

  static Loss of(Objective objective, double labelSmoothing) {
    if (objective instanceof Objective.CrossEntropy crossEntropy) {
      return new CrossEntropyLoss(crossEntropy, labelSmoothing);
    }
    InvalidField.check(
        labelSmoothing == 0, "label_smoothing_factor", "is for CROSS_ENTROPY only", labelSmoothing);
    if (objective instanceof Objective.BinaryCrossEntropy binary) {
      return new BinaryCrossEntropyLoss(binary);
    }
    if (objective instanceof Objective.MeanSquaredError) {
      return new MeanSquaredErrorLoss();
    }
    if (objective instanceof Objective.CosineEmbedding cosine) {
      return new CosineEmbeddingLoss(cosine);
    }
    return new InfoNceLoss((Objective.InfoNce) objective);
  }
}

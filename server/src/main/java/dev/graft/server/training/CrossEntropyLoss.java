package dev.graft.server.training;

import dev.graft.server.torch.Tensor;
import java.util.List;
import java.util.Map;

/** One class of several. */
record CrossEntropyLoss(Objective.CrossEntropy objective, double smoothing) implements Loss {
  @Override
  public String program() {
    return "cross_entropy.py";
  }

  @Override
  public Map<String, Object> literals() {
    return Map.of("smoothing", smoothing, "classes", objective.numClasses());
  }

  @Override
  public Map<String, Tensor> tensors(Upload upload, FeatureDataset dataset) {
    long[] labels = dataset.labels().stream().mapToLong(CrossEntropyLoss::index).toArray();
    return Map.of(
        "labels", upload.scope().longs(labels, labels.length),
        "class_weights", upload.classWeights(objective.classWeights(), objective.numClasses()));
  }

  @Override
  public List<String> metrics() {
    return List.of("eval_accuracy", "eval_f1");
  }

  @Override
  public Measurement measurement(FeatureDataset dataset) {
    return new Measurement() {
      private final ClassCounts counts = new ClassCounts(objective.numClasses());
      private long right;

      @Override
      public void add(float[] predicted, int first) {
        for (int i = 0; i < predicted.length; i++) {
          int label = (int) index(dataset.labels().get(first + i));
          int prediction = (int) predicted[i];
          if (prediction == label) {
            right++;
            counts.addHits(label, 1);
          } else {
            counts.addFalseAlarms(prediction, 1);
            counts.addMisses(label, 1);
          }
        }
      }

      @Override
      public Map<String, Double> metrics(int items) {
        return Map.of("eval_accuracy", (double) right / items, "eval_f1", counts.macroF1(false));
      }
    };
  }

  private static long index(Label label) {
    return ((Label.ClassIndex) label).index();
  }
}

package dev.graft.server.training;

import dev.graft.server.GraftException;
import dev.graft.server.torch.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Any of several classes. */
record BinaryCrossEntropyLoss(Objective.BinaryCrossEntropy objective) implements Loss {
  /** Of the padded sets; 1 GiB. */
  private static final long MOST_SET_VALUES = 1L << 27;

  @Override
  public String program() {
    return "binary_cross_entropy.py";
  }

  @Override
  public Map<String, Object> literals() {
    return Map.of("classes", objective.numClasses());
  }

  /** Sets are padded to the largest with a class behind the last, which programs drop. */
  @Override
  public Map<String, Tensor> tensors(Upload upload, FeatureDataset dataset) {
    int size = 1;
    for (Label label : dataset.labels()) {
      size = Math.max(size, ((Label.ClassSet) label).indices().length);
    }
    if ((long) size * dataset.items() > MOST_SET_VALUES) {
      throw GraftException.of(
          GraftException.Category.RESOURCE_EXHAUSTED,
          "DATASET_TOO_LARGE",
          "Class sets of up to %d classes for %d items take too much memory. Send fewer items."
              .formatted(size, dataset.items()));
    }
    long[] sets = new long[size * dataset.items()];
    Arrays.fill(sets, objective.numClasses());
    for (int i = 0; i < dataset.items(); i++) {
      long[] indices = ((Label.ClassSet) dataset.labels().get(i)).indices();
      System.arraycopy(indices, 0, sets, i * size, indices.length);
    }
    return Map.of(
        "labels", upload.scope().longs(sets, dataset.items(), size),
        "positive_weights",
            upload.classWeights(objective.positiveWeights(), objective.numClasses()));
  }

  @Override
  public List<String> metrics() {
    return List.of("eval_accuracy", "eval_f1");
  }

  /** Accuracy is the share of items whose set is right as a whole, as sklearn.metrics says. */
  @Override
  public Measurement measurement(FeatureDataset dataset) {
    int classes = objective.numClasses();
    return new Measurement() {
      private final ClassCounts counts = new ClassCounts(classes);
      private long exact;

      /** A row for each batch: exact sets, then for each class hits, false alarms, misses. */
      @Override
      public void add(float[] measured, int first) {
        for (int row = 0; row < measured.length; row += 1 + 3 * classes) {
          exact += (long) measured[row];
          for (int i = 0; i < classes; i++) {
            counts.addHits(i, (long) measured[row + 1 + i]);
            counts.addFalseAlarms(i, (long) measured[row + 1 + classes + i]);
            counts.addMisses(i, (long) measured[row + 1 + 2 * classes + i]);
          }
        }
      }

      @Override
      public Map<String, Double> metrics(int items) {
        return Map.of("eval_accuracy", (double) exact / items, "eval_f1", counts.macroF1(true));
      }
    };
  }
}

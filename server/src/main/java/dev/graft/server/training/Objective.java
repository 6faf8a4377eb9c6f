package dev.graft.server.training;

import java.util.List;

/** What is minimized. The mean over the items of a batch. */
public sealed interface Objective {
  /** torch.nn.CrossEntropyLoss; a weight for each class, or none. */
  record CrossEntropy(int numClasses, List<Float> classWeights) implements Objective {
    public CrossEntropy {
      InvalidField.check(
          numClasses >= 2 && numClasses <= MOST_CLASSES,
          "num_classes",
          "must be from 2 to " + MOST_CLASSES,
          numClasses);
      classWeights = checkWeights("class_weights", classWeights, numClasses);
    }
  }

  /** torch.nn.BCEWithLogitsLoss; pos_weight for each class, or none. */
  record BinaryCrossEntropy(int numClasses, List<Float> positiveWeights) implements Objective {
    public BinaryCrossEntropy {
      InvalidField.check(
          numClasses >= 1 && numClasses <= MOST_CLASSES,
          "num_classes",
          "must be from 1 to " + MOST_CLASSES,
          numClasses);
      positiveWeights = checkWeights("positive_weights", positiveWeights, numClasses);
    }
  }

  /** torch.nn.MSELoss; with several outputs, the mean over them. */
  record MeanSquaredError() implements Objective {}

  /**
   * torch.nn.CosineEmbeddingLoss between an item's projection and its pair's projection, or its
   * label's values.
   */
  record CosineEmbedding(double margin) implements Objective {
    public CosineEmbedding {
      InvalidField.check(margin >= -1 && margin <= 1, "margin", "must be from -1 to 1", margin);
    }
  }

  /**
   * Cross-entropy of the cosine similarities of an item with the pairs of its batch, divided by the
   * temperature, its own pair being the right one; symmetric: halved with the same from the pairs
   * to the items.
   */
  record InfoNce(double temperature, boolean symmetric) implements Objective {
    public static final double DEFAULT_TEMPERATURE = 0.05;

    public InfoNce {
      InvalidField.check(
          temperature > 0 && Double.isFinite(temperature),
          "temperature",
          "must be above 0",
          temperature);
    }
  }

  /** Largest number of classes. */
  int MOST_CLASSES = 65_536;

  private static List<Float> checkWeights(String field, List<Float> weights, int classes) {
    InvalidField.check(
        weights.isEmpty() || weights.size() == classes,
        field,
        "must be empty or one for each of the %d classes".formatted(classes),
        weights.size());
    for (float weight : weights) {
      InvalidField.check(
          weight >= 0 && Float.isFinite(weight), field, "must be at least 0 and finite", weight);
    }
    return List.copyOf(weights);
  }
}

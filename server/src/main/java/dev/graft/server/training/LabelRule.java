package dev.graft.server.training;

import dev.graft.server.GraftException;
import java.util.HashSet;
import java.util.Set;

/** What an objective asks of items: their labels and pairs. */
final class LabelRule {
  private final String name;
  private final Objective objective;

  /** Size of label vectors; 0 until the first one says it. */
  private int vectorSize;

  /** Whether the first item had a pair; null before it. */
  private Boolean paired;

  /**
   * @param name the request's field with the items, for errors
   */
  LabelRule(String name, Objective objective, int outputSize) {
    this.name = name;
    this.objective = objective;
    this.vectorSize = outputSize;
  }

  /** The label that trains the item, or null where none does. */
  Label check(TrainingItem item) {
    if (objective instanceof Objective.CrossEntropy crossEntropy) {
      noPair(item);
      return classIndex(item, crossEntropy.numClasses());
    }
    if (objective instanceof Objective.BinaryCrossEntropy binary) {
      noPair(item);
      return classSet(item, binary.numClasses());
    }
    if (objective instanceof Objective.MeanSquaredError) {
      noPair(item);
      return vector(item);
    }
    if (objective instanceof Objective.InfoNce) {
      if (!item.paired()) {
        throw wrong("PAIR_MISSING", item, "has no pair, which INFO_NCE needs");
      }
      return null;
    }
    if (!(objective instanceof Objective.CosineEmbedding)) {
      throw new AssertionError("Unknown objective " + objective);
    }
    if (paired == null) {
      paired = item.paired();
    }
    if (paired != item.paired()) {
      throw wrong(
          "PAIR_MISSING",
          item,
          (paired
                  ? "has no pair, but those before it have one"
                  : "has a pair, but those before it have none")
              + ": either all items have pairs or none");
    }
    return paired ? sign(item) : vector(item);
  }

  /** An error of the item's pair or label, by its reason. */
  private GraftException wrong(String reason, TrainingItem item, String problem) {
    String field = reason.equals("PAIR_MISSING") ? "pair" : "label";
    return FeatureCollector.wrong(name, reason, item.number(), field, problem);
  }

  private void noPair(TrainingItem item) {
    if (item.paired()) {
      throw FeatureCollector.wrong(
          name,
          "INVALID_FIELD",
          item.number(),
          "pair",
          "has a pair, which is only for COSINE_EMBEDDING and INFO_NCE");
    }
  }

  private Label label(TrainingItem item, String needed) {
    return item.label()
        .orElseThrow(
            () -> wrong("LABEL_MISSING", item, "has no label; the objective needs " + needed));
  }

  private Label classIndex(TrainingItem item, int classes) {
    Label label = label(item, "class_index");
    if (!(label instanceof Label.ClassIndex index)) {
      throw wrong("LABEL_KIND", item, "must have a class_index, not " + label.kind());
    }
    inRange(item, index.index(), classes);
    return label;
  }

  private Label classSet(TrainingItem item, int classes) {
    Label label = label(item, "class_set");
    if (!(label instanceof Label.ClassSet set)) {
      throw wrong("LABEL_KIND", item, "must have a class_set, not " + label.kind());
    }
    Set<Long> seen = new HashSet<>();
    for (long index : set.indices()) {
      inRange(item, index, classes);
      if (!seen.add(index)) {
        throw wrong("LABEL_OUT_OF_RANGE", item, "has class %d twice".formatted(index));
      }
    }
    return label;
  }

  private void inRange(TrainingItem item, long index, int classes) {
    if (index < 0 || index >= classes) {
      throw wrong(
          "LABEL_OUT_OF_RANGE",
          item,
          "has class %d; classes are from 0 to %d".formatted(index, classes - 1));
    }
  }

  private Label vector(TrainingItem item) {
    Label label = label(item, "values");
    if (!(label instanceof Label.Values values)) {
      throw wrong("LABEL_KIND", item, "must have label values, not " + label.kind());
    }
    int size = values.values().length;
    if (vectorSize == 0) {
      vectorSize = size;
    }
    if (size != vectorSize || size == 0 || size > ProjectorSpec.MOST_VALUES) {
      throw wrong(
          "LABEL_KIND", item, "has %d label values; %d are needed".formatted(size, vectorSize));
    }
    for (float value : values.values()) {
      if (!Float.isFinite(value)) {
        throw wrong("LABEL_OUT_OF_RANGE", item, "has the label value " + value);
      }
    }
    return label;
  }

  /** Whether the pair is alike; so it is when nothing is said. */
  private Label sign(TrainingItem item) {
    Label label = item.label().orElse(new Label.Values(1));
    if (!(label instanceof Label.Values values) || values.values().length != 1) {
      throw wrong("LABEL_KIND", item, "must have label values [1] or [-1], not " + label.kind());
    }
    float sign = values.values()[0];
    if (sign != 1 && sign != -1) {
      throw wrong(
          "LABEL_OUT_OF_RANGE", item, "has label value %s, neither 1 nor -1".formatted(sign));
    }
    return label;
  }
}

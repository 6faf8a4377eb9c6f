package dev.graft.server.training;

import static dev.graft.server.training.FeatureCollector.wrong;

import java.util.HashSet;
import java.util.Set;

/** What an objective asks of items: their labels and pairs. */
final class LabelRule {
  private final Objective objective;

  /** Size of label vectors; 0 until the first one says it. */
  private int vectorSize;

  /** Whether the first item had a pair; null before it. */
  private Boolean paired;

  LabelRule(Objective objective, int outputSize) {
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
        throw wrong("PAIR_MISSING", item.number(), "has no pair, which INFO_NCE needs");
      }
      return null;
    }
    if (paired == null) {
      paired = item.paired();
    }
    if (paired != item.paired()) {
      throw wrong(
          "PAIR_MISSING",
          item.number(),
          (paired
                  ? "has no pair, but those before it have one"
                  : "has a pair, but those before it have none")
              + ": either all items have pairs or none");
    }
    return paired ? sign(item) : vector(item);
  }

  private static void noPair(TrainingItem item) {
    if (item.paired()) {
      throw InvalidField.of(
              "pair",
              "is only for COSINE_EMBEDDING and INFO_NCE, but item %d has one"
                  .formatted(item.number()))
          .with("item", item.number());
    }
  }

  private static Label label(TrainingItem item, String needed) {
    return item.label()
        .orElseThrow(
            () ->
                wrong(
                    "LABEL_MISSING", item.number(), "has no label; the objective needs " + needed));
  }

  private static Label classIndex(TrainingItem item, int classes) {
    Label label = label(item, "class_index");
    if (!(label instanceof Label.ClassIndex index)) {
      throw wrong("LABEL_KIND", item.number(), "must have a class_index, not " + label.kind());
    }
    inRange(item, index.index(), classes);
    return label;
  }

  private static Label classSet(TrainingItem item, int classes) {
    Label label = label(item, "class_set");
    if (!(label instanceof Label.ClassSet set)) {
      throw wrong("LABEL_KIND", item.number(), "must have a class_set, not " + label.kind());
    }
    Set<Long> seen = new HashSet<>();
    for (long index : set.indices()) {
      inRange(item, index, classes);
      if (!seen.add(index)) {
        throw wrong("LABEL_OUT_OF_RANGE", item.number(), "has class %d twice".formatted(index));
      }
    }
    return label;
  }

  private static void inRange(TrainingItem item, long index, int classes) {
    if (index < 0 || index >= classes) {
      throw wrong(
          "LABEL_OUT_OF_RANGE",
          item.number(),
          "has class %d; classes are from 0 to %d".formatted(index, classes - 1));
    }
  }

  private Label vector(TrainingItem item) {
    Label label = label(item, "values");
    if (!(label instanceof Label.Values values)) {
      throw wrong("LABEL_KIND", item.number(), "must have label values, not " + label.kind());
    }
    int size = values.values().length;
    if (vectorSize == 0) {
      vectorSize = size;
    }
    if (size != vectorSize || size == 0 || size > ProjectorSpec.MOST_VALUES) {
      throw wrong(
          "LABEL_KIND",
          item.number(),
          "has %d label values; %d are needed".formatted(size, vectorSize));
    }
    for (float value : values.values()) {
      if (!Float.isFinite(value)) {
        throw wrong("LABEL_OUT_OF_RANGE", item.number(), "has the label value " + value);
      }
    }
    return label;
  }

  /** Whether the pair is alike; so it is when nothing is said. */
  private static Label sign(TrainingItem item) {
    Label label = item.label().orElse(new Label.Values(1));
    if (!(label instanceof Label.Values values) || values.values().length != 1) {
      throw wrong(
          "LABEL_KIND", item.number(), "must have label values [1] or [-1], not " + label.kind());
    }
    float sign = values.values()[0];
    if (sign != 1 && sign != -1) {
      throw wrong(
          "LABEL_OUT_OF_RANGE",
          item.number(),
          "has label value %s, neither 1 nor -1".formatted(sign));
    }
    return label;
  }
}

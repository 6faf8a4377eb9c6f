package dev.graft.server.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.graft.server.GraftException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FeatureCollectorTest {
  private static final Objective CLASSES = new Objective.CrossEntropy(3, List.of());
  private static final Objective SETS = new Objective.BinaryCrossEntropy(3, List.of());
  private static final Objective VALUES = new Objective.MeanSquaredError();
  private static final Objective COSINE = new Objective.CosineEmbedding(0);
  private static final Objective PAIRS = new Objective.InfoNce(0.05, false);

  @Test
  void keepsTheOrderOfArrival() {
    FeatureCollector collector =
        new FeatureCollector("items", CLASSES, 0, new FeatureMemory(1000).open());
    collector.add(item(7, new Label.ClassIndex(2)));
    collector.add(item(3, new Label.ClassIndex(0)));
    collector.put(3, new float[] {3, 3});
    assertThat(collector.missing()).isEqualTo(1);
    collector.put(7, new float[] {7, 7});
    FeatureDataset dataset = collector.finish();
    assertThat(dataset.items()).isEqualTo(2);
    assertThat(dataset.features().get(0)).containsExactly(7, 7);
    assertThat(dataset.labels()).containsExactly(new Label.ClassIndex(2), new Label.ClassIndex(0));
  }

  @Test
  void theFingerprintFollowsOrderLabelsAndContent() {
    TrainingItem first = item(1, new Label.ClassIndex(1));
    TrainingItem second = item(2, new Label.ClassIndex(1));
    String fingerprint = fingerprint(first, second);
    assertThat(fingerprint(first, second)).isEqualTo(fingerprint);
    assertThat(fingerprint(second, first)).isNotEqualTo(fingerprint);
    assertThat(fingerprint(first, item(2, new Label.ClassIndex(2)))).isNotEqualTo(fingerprint);
    assertThat(fingerprint(first)).isNotEqualTo(fingerprint);
  }

  @Test
  void refusesWrongLabels() {
    refused(CLASSES, "LABEL_MISSING", new TrainingItem(5, Optional.empty(), false, new byte[0]));
    refused(CLASSES, "LABEL_KIND", item(5, new Label.Values(1)));
    refused(CLASSES, "LABEL_OUT_OF_RANGE", item(5, new Label.ClassIndex(3)));
    refused(CLASSES, "LABEL_OUT_OF_RANGE", item(5, new Label.ClassIndex(-1)));
    refused(SETS, "LABEL_KIND", item(5, new Label.ClassIndex(1)));
    refused(SETS, "LABEL_OUT_OF_RANGE", item(5, new Label.ClassSet(0, 3)));
    refused(SETS, "LABEL_OUT_OF_RANGE", item(5, new Label.ClassSet(1, 1)));
    refused(VALUES, "LABEL_KIND", item(5, new Label.ClassIndex(1)));
    refused(VALUES, "LABEL_KIND", item(5, new Label.Values()));
    refused(VALUES, "LABEL_OUT_OF_RANGE", item(5, new Label.Values(1, Float.NaN)));
    refused(VALUES, "LABEL_KIND", item(4, new Label.Values(1)), item(5, new Label.Values(1, 2)));
  }

  @Test
  void refusesWrongPairs() {
    refused(PAIRS, "PAIR_MISSING", item(5, new Label.ClassIndex(1)));
    refused(CLASSES, "INVALID_FIELD", pair(5, Optional.of(new Label.ClassIndex(1))));
    refused(COSINE, "PAIR_MISSING", pair(4, Optional.empty()), item(5, new Label.Values(1, 2)));
    refused(COSINE, "PAIR_MISSING", item(4, new Label.Values(1, 2)), pair(5, Optional.empty()));
    refused(COSINE, "LABEL_OUT_OF_RANGE", pair(5, Optional.of(new Label.Values(0.5f))));
    refused(COSINE, "LABEL_KIND", pair(5, Optional.of(new Label.Values(1, 1))));
  }

  @Test
  void refusesANumberTwice() {
    TrainingItem item = item(5, new Label.ClassIndex(1));
    refused(CLASSES, "INVALID_FIELD", item, item);
  }

  @Test
  void refusesWrongFeatures() {
    FeatureCollector collector =
        new FeatureCollector("items", CLASSES, 0, new FeatureMemory(10_000).open());
    for (int i = 1; i <= 3; i++) {
      collector.add(item(i, new Label.ClassIndex(1)));
    }
    collector.put(1, new float[] {1, 2});
    assertReason("FEATURE_SIZE", 2, () -> collector.put(2, new float[] {1, 2, 3}));
    assertReason("NON_FINITE_FEATURE", 3, () -> collector.put(3, new float[] {1, Float.NaN}));
  }

  @Test
  void memoryIsBounded() {
    FeatureCollector collector =
        new FeatureCollector("items", CLASSES, 0, new FeatureMemory(300).open());
    collector.add(item(1, new Label.ClassIndex(1)));
    collector.put(1, new float[10]);
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> collector.add(item(2, new Label.ClassIndex(1))))
        .extracting(GraftException::category)
        .isEqualTo(GraftException.Category.RESOURCE_EXHAUSTED);
  }

  @Test
  void collectorsShareTheirBudget() {
    FeatureBudget budget = new FeatureMemory(300).open();
    new FeatureCollector("train_items", CLASSES, 0, budget).add(item(1, new Label.ClassIndex(1)));
    FeatureCollector other = new FeatureCollector("eval_items", CLASSES, 0, budget);
    other.add(item(1, new Label.ClassIndex(1)));
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> other.put(1, new float[10]))
        .extracting(GraftException::reason)
        .isEqualTo("DATASET_TOO_LARGE");
  }

  @Test
  void trainingsShareTheMemory() {
    FeatureMemory memory = new FeatureMemory(400);
    FeatureBudget first = memory.open();
    FeatureCollector collector = new FeatureCollector("items", CLASSES, 0, first);
    collector.add(item(1, new Label.ClassIndex(1)));
    collector.put(1, new float[10]);
    FeatureBudget second = memory.open();
    FeatureCollector other = new FeatureCollector("items", CLASSES, 0, second);
    other.add(item(1, new Label.ClassIndex(1)));
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(() -> other.put(1, new float[30]))
        .satisfies(
            e -> {
              assertThat(e.category()).isEqualTo(GraftException.Category.RESOURCE_EXHAUSTED);
              assertThat(e.reason()).isEqualTo("FEATURE_MEMORY_FULL");
            });
    first.close();
    first.close();
    other.put(1, new float[30]);
    second.close();
    memory.open().take(400);
  }

  private static TrainingItem item(long number, Label label) {
    return new TrainingItem(number, Optional.of(label), false, new byte[] {(byte) number});
  }

  private static TrainingItem pair(long number, Optional<Label> label) {
    return new TrainingItem(number, label, true, new byte[] {(byte) number});
  }

  private static String fingerprint(TrainingItem... items) {
    FeatureCollector collector =
        new FeatureCollector("items", CLASSES, 0, new FeatureMemory(10_000).open());
    for (TrainingItem item : items) {
      collector.add(item);
      collector.put(item.number(), new float[] {1});
    }
    return collector.finish().fingerprint();
  }

  /** The last item, number 5, is refused and named. */
  private static void refused(Objective objective, String reason, TrainingItem... items) {
    FeatureCollector collector =
        new FeatureCollector("items", objective, 0, new FeatureMemory(10_000).open());
    for (int i = 0; i < items.length - 1; i++) {
      collector.add(items[i]);
    }
    assertReason(reason, 5, () -> collector.add(items[items.length - 1]));
  }

  private static void assertReason(String reason, long item, Runnable action) {
    assertThatExceptionOfType(GraftException.class)
        .isThrownBy(action::run)
        .satisfies(
            e -> {
              assertThat(e.category()).isEqualTo(GraftException.Category.INVALID_ARGUMENT);
              assertThat(e.reason()).isEqualTo(reason);
              assertThat(e.metadata()).containsEntry("item", Long.toString(item));
              assertThat(e.metadata().get("field")).startsWith("items[" + item + "].");
              assertThat(e.getMessage()).contains("" + item);
            });
  }
}

package dev.graft.server.training;

import dev.graft.server.GraftException;
import dev.graft.server.Sha256;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gathers a {@link FeatureDataset}. Items are added as they arrive, which fixes their order and
 * checks their labels; features follow by number, in any order. Methods may be called by several
 * threads.
 */
public final class FeatureCollector {
  private static final float[] MISSING = {};

  /** About what an item takes apart from its values. */
  private static final int ITEM_BYTES = 128;

  private final String name;
  private final LabelRule rule;
  private final FeatureBudget budget;
  private final Map<Long, Integer> positions = new HashMap<>();
  private List<Label> labels = new ArrayList<>();
  private List<float[]> features = new ArrayList<>();
  private List<float[]> pairs = new ArrayList<>();
  private final MessageDigest digest = Sha256.start();
  private int size;
  private int missing;

  /**
   * @param name the request's field with these items, for errors
   * @param outputSize of the projector; 0 if it follows from the labels
   * @param budget memory that features and labels may take, perhaps with those of other collectors
   */
  public FeatureCollector(String name, Objective objective, int outputSize, FeatureBudget budget) {
    this.name = name;
    this.rule = new LabelRule(name, objective, outputSize);
    this.budget = budget;
  }

  /**
   * Adds an item behind those before it.
   *
   * @throws GraftException INVALID_ARGUMENT, naming the item: LABEL_MISSING, LABEL_KIND,
   *     LABEL_OUT_OF_RANGE, PAIR_MISSING, INVALID_FIELD (a number again, a pair without use);
   *     RESOURCE_EXHAUSTED (DATASET_TOO_LARGE)
   */
  public synchronized void add(TrainingItem item) {
    Integer position = features.size();
    if (positions.putIfAbsent(item.number(), position) != null) {
      throw wrong(name, "INVALID_FIELD", item.number(), "number", "came before");
    }
    Label label = rule.check(item);
    ByteBuffer labelBytes = label == null ? ByteBuffer.allocate(0) : label.toBytes();
    budget.take(ITEM_BYTES + labelBytes.capacity());
    ByteBuffer sizes = ByteBuffer.allocate(8);
    digest.update(sizes.putInt(item.digest().length).putInt(labelBytes.capacity()).flip());
    digest.update(item.digest());
    digest.update(labelBytes);
    if (label != null) {
      labels.add(label);
    }
    features.add(MISSING);
    missing++;
    if (item.paired()) {
      pairs.add(MISSING);
      missing++;
    }
  }

  /**
   * Sets an item's feature, which is not copied.
   *
   * @throws GraftException INVALID_ARGUMENT (FEATURE_SIZE, NON_FINITE_FEATURE), naming the item;
   *     RESOURCE_EXHAUSTED (DATASET_TOO_LARGE)
   */
  public synchronized void put(long number, float[] feature) {
    set(features, number, "content", feature);
  }

  /** Sets the feature of an item's pair. */
  public synchronized void putPair(long number, float[] feature) {
    set(pairs, number, "pair", feature);
  }

  /** Number of items so far. */
  public synchronized int items() {
    return features.size();
  }

  /** Number of features, pairs included, that are still to be set. */
  public synchronized int missing() {
    return missing;
  }

  private void set(List<float[]> rows, long number, String part, float[] feature) {
    Integer position = positions.get(number);
    if (position == null || position >= rows.size() || rows.get(position) != MISSING) {
      throw new IllegalStateException(
          "No feature is expected for item " + Long.toUnsignedString(number));
    }
    if (size == 0) {
      size = feature.length;
    }
    if (feature.length != size || size == 0) {
      throw wrong(
          name,
          "FEATURE_SIZE",
          number,
          part,
          "has a feature of %d values; those before it have %d".formatted(feature.length, size));
    }
    for (int i = 0; i < feature.length; i++) {
      if (!Float.isFinite(feature[i])) {
        throw wrong(name, "NON_FINITE_FEATURE", number, part, "has a feature with " + feature[i]);
      }
    }
    budget.take((long) Float.BYTES * feature.length);
    rows.set(position, feature);
    missing--;
  }

  /**
   * The whole dataset, which is handed over: nothing of it stays here.
   *
   * @throws IllegalStateException while features are missing
   */
  public synchronized FeatureDataset finish() {
    if (missing > 0) {
      throw new IllegalStateException(missing + " features are missing");
    }
    String fingerprint = Sha256.hex(digest);
    FeatureDataset dataset =
        new FeatureDataset(features.size(), size, features, pairs, labels, fingerprint);
    features = new ArrayList<>();
    pairs = new ArrayList<>();
    labels = new ArrayList<>();
    positions.clear();
    return dataset;
  }

  /**
   * An error of an item.
   *
   * @param field of the item
   * @param problem goes on after "Item 3"
   */
  static GraftException wrong(
      String name, String reason, long number, String field, String problem) {
    String shown = Long.toUnsignedString(number);
    return GraftException.invalidArgument(reason, "Item " + shown + " " + problem + ".")
        .with("item", shown)
        .with("field", "%s[%s].%s".formatted(name, shown, field));
  }
}

package dev.graft.server.training;

import dev.graft.server.GraftException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
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

  private final LabelRule rule;
  private final long maxBytes;
  private final Map<Long, Integer> positions = new HashMap<>();
  private List<Label> labels = new ArrayList<>();
  private List<float[]> features = new ArrayList<>();
  private List<float[]> pairs = new ArrayList<>();
  private final MessageDigest digest;
  private int size;
  private int missing;
  private long bytes;

  /**
   * @param outputSize of the projector; 0 if it follows from the labels
   * @param maxBytes most memory that features and labels may take
   */
  public FeatureCollector(Objective objective, int outputSize, long maxBytes) {
    this.rule = new LabelRule(objective, outputSize);
    this.maxBytes = maxBytes;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java platform has SHA-256", e);
    }
  }

  /**
   * Adds an item behind those before it.
   *
   * @throws GraftException INVALID_ARGUMENT, naming the item: LABEL_MISSING, LABEL_KIND,
   *     LABEL_OUT_OF_RANGE, PAIR_MISSING, INVALID_FIELD (a number again, a pair without use)
   */
  public synchronized void add(TrainingItem item) {
    Integer position = features.size();
    if (positions.putIfAbsent(item.number(), position) != null) {
      throw InvalidField.of("number", "%d came before".formatted(item.number()))
          .with("item", item.number());
    }
    Label label = rule.check(item);
    ByteBuffer labelBytes = label == null ? ByteBuffer.allocate(0) : label.toBytes();
    take(ITEM_BYTES + labelBytes.capacity());
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
    set(features, number, feature);
  }

  /** Sets the feature of an item's pair. */
  public synchronized void putPair(long number, float[] feature) {
    set(pairs, number, feature);
  }

  /** Number of items so far. */
  public synchronized int items() {
    return features.size();
  }

  /** Number of features, pairs included, that are still to be set. */
  public synchronized int missing() {
    return missing;
  }

  private void set(List<float[]> rows, long number, float[] feature) {
    Integer position = positions.get(number);
    if (position == null || position >= rows.size() || rows.get(position) != MISSING) {
      throw new IllegalStateException("No feature is expected for item " + number);
    }
    if (size == 0) {
      size = feature.length;
    }
    if (feature.length != size || size == 0) {
      throw wrong(
          "FEATURE_SIZE",
          number,
          "has a feature of %d values; those before it have %d".formatted(feature.length, size));
    }
    for (int i = 0; i < feature.length; i++) {
      if (!Float.isFinite(feature[i])) {
        throw wrong("NON_FINITE_FEATURE", number, "has a feature with " + feature[i]);
      }
    }
    take((long) Float.BYTES * feature.length);
    rows.set(position, feature);
    missing--;
  }

  private void take(long more) {
    bytes += more;
    if (bytes > maxBytes) {
      throw GraftException.of(
              GraftException.Category.RESOURCE_EXHAUSTED,
              "DATASET_TOO_LARGE",
              "Features and labels take more than the limit of %d bytes. Send fewer items."
                  .formatted(maxBytes))
          .with("limit_bytes", maxBytes);
    }
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
    String fingerprint = HexFormat.of().formatHex(digest.digest());
    FeatureDataset dataset =
        new FeatureDataset(features.size(), size, features, pairs, labels, fingerprint);
    features = new ArrayList<>();
    pairs = new ArrayList<>();
    labels = new ArrayList<>();
    positions.clear();
    return dataset;
  }

  static GraftException wrong(String reason, long number, String problem) {
    return GraftException.invalidArgument(reason, "Item " + number + " " + problem + ".")
        .with("item", number);
  }
}

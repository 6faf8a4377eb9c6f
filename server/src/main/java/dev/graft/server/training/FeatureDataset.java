package dev.graft.server.training;

import java.util.List;

/**
 * Items with their features, in the order in which they arrived. Made by a {@link
 * FeatureCollector}.
 *
 * @param items number of items
 * @param size values of a feature
 * @param features one for each item
 * @param pairs likewise; empty where the objective takes no pairs
 * @param labels one for each item; empty where the objective takes none
 * @param fingerprint hexadecimal; changes with the items and their order
 */
public record FeatureDataset(
    int items,
    int size,
    List<float[]> features,
    List<float[]> pairs,
    List<Label> labels,
    String fingerprint) {

  /** No items. */
  public static FeatureDataset empty() {
    return new FeatureDataset(0, 0, List.of(), List.of(), List.of(), "");
  }

  boolean paired() {
    return !pairs.isEmpty();
  }

  /** Size of the vectors that label the items; 0 where labels are of another kind. */
  int labelSize() {
    return !labels.isEmpty() && labels.get(0) instanceof Label.Values values
        ? values.values().length
        : 0;
  }

  /** Size of the vectors that items should be mapped to; a pair's label is none. */
  int vectorSize() {
    return paired() ? 0 : labelSize();
  }

  /** The same without features, which lie on a device. */
  FeatureDataset withoutFeatures() {
    return new FeatureDataset(items, size, List.of(), List.of(), labels, fingerprint);
  }
}

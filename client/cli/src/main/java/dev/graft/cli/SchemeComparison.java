package dev.graft.cli;

import dev.graft.cli.bundle.EnumNames;
import dev.graft.cli.items.BadItemException;
import dev.graft.cli.items.ItemFile;
import dev.graft.cli.output.FeatureRows;
import dev.graft.cli.output.ItemNames;
import dev.graft.client.ExtractJob;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.QuantizeResult;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What quantized copies of a backbone make of a file of items, beside what the backbone itself
 * makes of them. Pooling and compute type are the defaults. All features of two backbones are in
 * memory at a time.
 */
final class SchemeComparison {
  private static final Object[] HEADINGS = {
    "",
    "size",
    "of source",
    "relative error",
    "cosine mean",
    "cosine worst",
    "tokens/s",
    "worst item"
  };

  private final Surroundings surroundings;
  private final Workers workers;
  private final ItemFile items;
  private final int count;
  private final FeatureRows source;
  private final ExtractionRun.Summary summary;
  private final List<Object[]> rows = new ArrayList<>();

  private SchemeComparison(
      Surroundings surroundings, Workers workers, ItemFile items, int count, String source)
      throws IOException {
    this.surroundings = surroundings;
    this.workers = workers;
    this.items = items;
    this.count = count;
    this.source = newRows();
    // Whatever is slow at first is so now. Normalized, as the cache would answer the same again.
    extract(source, true, newRows());
    this.summary = extract(source, false, this.source);
  }

  /**
   * Extracts the source's features.
   *
   * @param count number of items in the file
   */
  static SchemeComparison with(
      String source, Surroundings surroundings, Workers workers, ItemFile items, int count)
      throws IOException {
    return new SchemeComparison(surroundings, workers, items, count, source);
  }

  /**
   * Number of a file's items.
   *
   * @throws BadItemException if there is none, or if one is malformed
   */
  static int count(ItemFile items) throws IOException {
    int count = Math.toIntExact(items.count());
    if (count == 0) {
      throw new CommandFailure(items.path() + ": has no items; there is nothing to compare on");
    }
    return count;
  }

  /** Extracts the features of a copy, which then need not be there any longer. */
  void add(String scheme, String copy, QuantizeResult result) throws IOException {
    FeatureRows features = newRows();
    extract(copy, false, features);
    double[] cosines = features.cosines(source);
    int worst = 0;
    for (int item = 0; item < count; item++) {
      if (Double.isNaN(cosines[item])) {
        throw new CommandFailure(
            "%s: no cosine with %s: a feature is all zeros, or holds what is no number"
                .formatted(items.locate(item), scheme));
      }
      worst = cosines[item] < cosines[worst] ? item : worst;
    }
    if (rows.isEmpty()) {
      rows.add(HEADINGS);
      rows.add(row("source", result.getSourceBytes(), "100.0 %", "", "", "", source, ""));
    }
    rows.add(
        row(
            scheme,
            result.getResultBytes(),
            format("%.1f %%", QuantizationRun.percentOfSource(result)),
            format("%.4g", result.getRelativeError()),
            format("%.6f", Arrays.stream(cosines).average().orElseThrow()),
            format("%.6f", cosines[worst]),
            features,
            items.locate(worst)));
  }

  private Object[] row(
      String name,
      long bytes,
      String share,
      String error,
      String mean,
      String worst,
      FeatureRows features,
      String worstItem) {
    String speed = format("%,.0f", summary.tokens() / Math.max(1e-3, features.seconds()));
    return new Object[] {
      name, QuantizationRun.megabytes(bytes), share, error, mean, worst, speed, worstItem
    };
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  /** Prints what was found. */
  void report() {
    PrintStream out = surroundings.out();
    FeatureSpec features = summary.ready().getFeatures();
    out.printf(
        Locale.ROOT,
        "%s: %d items, %d tokens, pooling %s, %s%n",
        items.path(),
        summary.items(),
        summary.tokens(),
        EnumNames.name(features.getPooling().getValueDescriptor()),
        EnumNames.name(features.getComputeDtype().getValueDescriptor()));
    for (Object[] row : rows) {
      out.println(
          String.format("%-8s  %10s  %9s  %14s  %11s  %12s  %10s  %s", row).stripTrailing());
    }
  }

  private FeatureRows newRows() {
    return new FeatureRows(count, surroundings.clock());
  }

  private ExtractionRun.Summary extract(String backbone, boolean normalize, FeatureRows features)
      throws IOException {
    FeatureSpec.Builder spec = FeatureSpec.newBuilder().setNormalize(normalize);
    spec.getBackboneBuilder().setPath(backbone);
    return new ExtractionRun(surroundings, workers, items, new ItemNames())
        .run(
            ExtractJob.of(ExtractSpec.newBuilder().setFeatures(spec).build()),
            count,
            ready -> {},
            features);
  }
}

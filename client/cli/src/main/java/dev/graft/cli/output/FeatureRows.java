package dev.graft.cli.output;

import dev.graft.client.Tensors;
import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.io.IOException;
import java.time.InstantSource;

/** Keeps all features in memory, {@code [items, d]}, and how long they took. */
public final class FeatureRows implements ResultWriter {
  private final InstantSource clock;
  private final float[][] rows;
  private final Answered answered = new Answered();
  private int columns;
  private long start;
  private double seconds;

  /** Room for a number of items. */
  public FeatureRows(int items, InstantSource clock) {
    this.rows = new float[items][];
    this.clock = clock;
  }

  @Override
  public void begin(ExtractReady ready) {
    columns = ready.getFeatureSize();
    start = clock.millis();
  }

  @Override
  public void write(ItemResult result) throws IOException {
    float[] row = Tensors.toFloats(result.getFeatures());
    if (row.length != columns) {
      throw new IOException(
          "the worker's feature of item " + result.getNumber() + " is not " + columns + " values");
    }
    answered.add(result.getNumber());
    rows[(int) result.getNumber()] = row;
  }

  @Override
  public void finish(long items) throws IOException {
    answered.requireAll(items);
    seconds = (clock.millis() - start) / 1e3;
  }

  /** Seconds from the first item to the last result; the loading of the backbone is before. */
  public double seconds() {
    return seconds;
  }

  /** The cosine of each row with that of the same item elsewhere, in double precision. */
  public double[] cosines(FeatureRows other) {
    double[] cosines = new double[rows.length];
    for (int item = 0; item < rows.length; item++) {
      cosines[item] = cosine(rows[item], other.rows[item]);
    }
    return cosines;
  }

  private static double cosine(float[] a, float[] b) {
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Override
  public void close() {}
}

package dev.graft.server.jobs;

import java.io.IOException;

/**
 * The rows of a matrix of queries or keys in the order in which llama.cpp's converter puts them:
 * row (head, half, i) comes as row (head, i, half), since its rotary embeddings pair neighbours.
 */
final class InterleavedRows implements SourceValues {
  private final SourceValues source;
  private final long columns;

  /** Rows of a head. */
  private final long headRows;

  private final float[] part;

  /**
   * @param source closed with this
   * @param heads into which the rows are divided
   */
  InterleavedRows(SourceValues source, long rows, long columns, int heads) {
    this.source = source;
    this.columns = columns;
    this.headRows = rows / heads;
    this.part = new float[(int) Math.min(MOST_AT_ONCE, columns)];
  }

  @Override
  public void read(long from, float[] target, int count) throws IOException {
    for (int done = 0; done < count; ) {
      long row = (from + done) / columns;
      long column = (from + done) % columns;
      int length = (int) Math.min(Math.min(count - done, columns - column), part.length);
      source.read(sourceRow(row) * columns + column, part, length);
      System.arraycopy(part, 0, target, done, length);
      done += length;
    }
  }

  private long sourceRow(long row) {
    long inHead = row % headRows;
    return row - inHead + inHead % 2 * (headRows / 2) + inHead / 2;
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}

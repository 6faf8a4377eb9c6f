package dev.graft.cli.output;

import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.io.Closeable;
import java.io.IOException;

/**
 * Takes the results of an Extract call, in any order, and writes a file. Closed before {@link
 * #finish}, it leaves nothing behind.
 */
public interface ResultWriter extends Closeable {
  /** Says what the results will be; before any of them. */
  void begin(ExtractReady ready) throws IOException;

  /** Takes one result, or with {@code POOLING_NONE} a part of one. */
  void write(ItemResult result) throws IOException;

  /**
   * Puts the file in its place.
   *
   * @param items how many items were sent; each must have been answered
   */
  void finish(long items) throws IOException;
}

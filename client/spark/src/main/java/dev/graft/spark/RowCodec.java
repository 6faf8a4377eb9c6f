package dev.graft.spark;

import dev.graft.v1.Content;
import dev.graft.v1.ItemResult;
import java.io.Serializable;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** What of a row goes to a worker, and what becomes of its answer. Travels to the executors. */
interface RowCodec extends Serializable {
  /** The row's input; empty if it is null. */
  Optional<Content> input(Row row);

  /** The values of the new columns. */
  Object[] output(ItemResult result);

  /** The values of the new columns of a row without input. */
  Object[] outputOfNothing();
}

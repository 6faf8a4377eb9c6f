package dev.graft.spark;

import dev.graft.client.ExtractJob;
import dev.graft.client.GraftRpcException;
import dev.graft.client.Items;
import dev.graft.client.pool.IncompleteJobException;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.v1.Content;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * The rows of a partition with the workers' answers, in the rows' order. Rows are read a window at
 * a time; while one leaves, the workers compute the next. Items have the numbers of their rows,
 * counted from 0 in the partition.
 *
 * <p>Rows are read on the thread that asks for results: Spark's iterators belong to the thread of
 * their task. That is why windows are jobs of their own, and the pool does not pull rows itself.
 */
final class RowWindows implements Iterator<Row>, AutoCloseable {
  private static final int MOST_ROWS = 2_048;
  private static final long MOST_BYTES = 8L << 20; // of inputs

  private final Iterator<Row> source;
  private final WorkerPool pool;
  private final ExtractJob job;
  private final RowCodec codec;
  private final int partition;
  private long rowsRead;
  private Window current; // null before the first row, and after the last
  private Window ahead; // null if there is none

  RowWindows(Iterator<Row> source, WorkerPool pool, ExtractJob job, RowCodec codec, int partition) {
    this.source = source;
    this.pool = pool;
    this.job = job;
    this.codec = codec;
    this.partition = partition;
  }

  @Override
  public boolean hasNext() {
    while (current == null || !current.hasNext()) {
      current = ahead == null ? open() : ahead;
      if (current == null) {
        return false;
      }
      ahead = open();
    }
    return true;
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException("all rows of the partition have been given");
    }
    return current.next();
  }

  /** Ends the calls that run. */
  @Override
  public void close() {
    if (current != null) {
      current.close();
    }
    if (ahead != null) {
      ahead.close();
    }
  }

  /** Reads a window of rows and has the workers begin with them; null if there are no more. */
  private Window open() {
    if (!source.hasNext()) {
      return null;
    }
    long first = rowsRead;
    List<Row> rows = new ArrayList<>();
    BitSet withInput = new BitSet();
    List<Item> items = new ArrayList<>();
    long bytes = 0;
    while (rows.size() < MOST_ROWS && bytes < MOST_BYTES && source.hasNext()) {
      Row row = source.next();
      Optional<Content> input = input(row);
      if (input.isPresent()) {
        withInput.set(rows.size());
        items.add(Items.of(rowsRead, input.get()));
        bytes += input.get().getSerializedSize();
      }
      rows.add(row);
      rowsRead++;
    }
    return new Window(
        first,
        rows,
        withInput,
        items.isEmpty()
            ? Optional.empty()
            : Optional.of(pool.extract(job, items, ResultOrder.OF_ITEMS)));
  }

  private Optional<Content> input(Row row) {
    try {
      return codec.input(row);
    } catch (IllegalArgumentException malformed) {
      throw new GraftPartitionException("row " + rowsRead, partition, malformed);
    }
  }

  private final class Window {
    private final long first;
    private final List<Row> rows;
    private final BitSet withInput;
    private final Optional<PooledExtract> results; // empty if no row has an input
    private int given;

    Window(long first, List<Row> rows, BitSet withInput, Optional<PooledExtract> results) {
      this.first = first;
      this.rows = rows;
      this.withInput = withInput;
      this.results = results;
    }

    boolean hasNext() {
      return given < rows.size();
    }

    Row next() {
      Object[] added = withInput.get(given) ? codec.output(result()) : codec.outputOfNothing();
      Row row = rows.get(given);
      rows.set(given, null); // it leaves; the others of the window need not keep it
      given++;
      Object[] values = new Object[row.length() + added.length];
      for (int i = 0; i < row.length(); i++) {
        values[i] = row.get(i);
      }
      System.arraycopy(added, 0, values, row.length(), added.length);
      return RowFactory.create(values);
    }

    private ItemResult result() {
      try {
        return results.orElseThrow().next();
      } catch (GraftRpcException failed) {
        String row = failed.metadata().get("item");
        throw new GraftPartitionException(
            row == null ? rowsInWork() : "row " + row, partition, failed);
      } catch (IncompleteJobException failed) {
        throw new GraftPartitionException(rowsInWork(), partition, failed);
      }
    }

    private String rowsInWork() {
      return "rows %d to %d".formatted(first, first + rows.size() - 1);
    }

    void close() {
      results.ifPresent(PooledExtract::close);
    }
  }
}

package dev.graft.it;

import dev.graft.client.ExtractJob;
import dev.graft.client.Items;
import dev.graft.client.pool.PooledExtract;
import dev.graft.client.pool.ResultOrder;
import dev.graft.client.pool.WorkerPool;
import dev.graft.v1.ExtractSpec;
import dev.graft.v1.Item;
import dev.graft.v1.ItemResult;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** A client in a process of its own: its heap is what {@link FlatMemoryTest} says. */
final class FlatMemoryClient {
  static final int FEATURE_SIZE = 128; // 512 bytes a result
  static final String KEEPING = "keeping";

  private FlatMemoryClient() {}

  /**
   * Extracts, and prints how many results came and were kept.
   *
   * @param arguments targets, number of items, and {@link #KEEPING} to keep all results
   */
  public static void main(String[] arguments) {
    long count = Long.parseLong(arguments[1]);
    boolean keeps = arguments.length > 2 && arguments[2].equals(KEEPING);
    Iterable<Item> items =
        () -> LongStream.range(0, count).mapToObj(n -> Items.tokenIds(n, 1, 2, 3)).iterator();
    List<ItemResult> kept = new ArrayList<>();
    long next = 0;
    try (WorkerPool pool = WorkerPool.connect(arguments[0]);
        PooledExtract extract =
            pool.extract(
                ExtractJob.of(ExtractSpec.getDefaultInstance()), items, ResultOrder.OF_ITEMS)) {
      while (extract.hasNext()) {
        ItemResult result = extract.next();
        if (result.getNumber() != next
            || !result
                .getFeatures()
                .getData()
                .equals(SimulatedWorker.feature(next, FEATURE_SIZE))) {
          throw new IllegalStateException("instead of result %d came %s".formatted(next, result));
        }
        next++;
        if (keeps) {
          kept.add(result);
        }
      }
    }
    System.out.println(next + " results, " + kept.size() + " kept");
  }
}

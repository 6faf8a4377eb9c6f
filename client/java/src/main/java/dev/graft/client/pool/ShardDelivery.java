package dev.graft.client.pool;

import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.util.List;

/** Where the results of an Extract job go. Called in the pool's synchronization context. */
interface ShardDelivery {
  void ready(ExtractReady ready);

  /** So many shards may be in work or wait for the caller. Only ever grows. */
  void room(int shards);

  /** All results of a shard, in the order of its items. */
  void results(List<ItemResult> results);

  void completed();

  void failed(Throwable thrown);
}

package dev.graft.client.pool;

/** The order in which results reach the caller. */
public enum ResultOrder {
  /** That of the items. */
  OF_ITEMS,
  /** Shard by shard as they are done; a shard's results stay together and in order. */
  AS_DONE
}

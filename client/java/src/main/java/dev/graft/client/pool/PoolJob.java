package dev.graft.client.pool;

/** Something that waits for workers. Used in the pool's synchronization context only. */
interface PoolJob {
  /** Something may have changed: a worker came, went, or has a place free; or time passed. */
  void wake();

  /** Ends it. */
  void giveUp(String why, Throwable causeOrNull);
}

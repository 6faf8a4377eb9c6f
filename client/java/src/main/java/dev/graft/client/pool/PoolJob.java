package dev.graft.client.pool;

/** Something that needs workers. Used in the pool's synchronization context only. */
interface PoolJob {
  /**
   * Workers may have come or gone, or time passed: ends itself if it has waited too long. Comes
   * when whatever could start has.
   */
  void check();

  /** Whether something of it waits for a worker, now or after a pause. */
  boolean isWaiting();

  /** Calls that it has at workers. */
  int callsUnderWay();

  /** Starts one call that waits; false if there is none that can start now. */
  boolean startCall();

  /** Nobody waits: gives what is late to a second worker. */
  void hedge();

  /** Ends it. */
  void giveUp(String why, Throwable causeOrNull);
}

package dev.graft.client.pool;

/** Where a call that failed may be tried again. */
public enum RetryScope {
  /** Wherever there is room: nothing is wrong with the worker that it failed on. */
  SAME_WORKER,
  /** At another worker than the one it failed on, as long as there is another. */
  OTHER_WORKER,
  /** Nowhere: the answer would be the same. */
  NEVER
}

package dev.graft.spark;

/**
 * Rows of a partition that the workers did not answer. Fails the task. The message says which rows,
 * counted from 0 in the partition, and why; in such messages a row is also called an item.
 */
public final class GraftPartitionException extends RuntimeException {
  GraftPartitionException(String rows, int partition, RuntimeException cause) {
    super(
        "Partition %d, %s (counted from 0): %s".formatted(partition, rows, cause.getMessage()),
        cause);
  }
}

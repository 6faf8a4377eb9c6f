package dev.graft.cli.progress;

/** Shows, until it is closed, what happens to the workers of a job. */
public interface WorkersView extends AutoCloseable {
  /** A job with one worker, about which there is nothing to show. */
  static WorkersView none() {
    return () -> {};
  }

  /** The job ended well: waits a moment for what is still to be shown. */
  default void awaitEndOfJob() {}

  @Override
  void close();
}

package dev.graft.server.jobs;

/** What a call does. */
public interface Job extends AutoCloseable {
  /** Runs {@code action} when the job can take more: at once, or later. */
  void whenReady(Runnable action);

  /**
   * Stops what is under way, and frees everything as soon as nobody works with it. May be called by
   * any thread, and again.
   */
  @Override
  void close();
}

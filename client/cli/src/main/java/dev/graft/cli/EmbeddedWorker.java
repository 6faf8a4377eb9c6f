package dev.graft.cli;

import dev.graft.server.rpc.WorkerOptions;
import java.io.IOException;

/** A worker in this process, reached over a real socket. */
interface EmbeddedWorker extends AutoCloseable {
  /** The port it listens on. */
  int port();

  /** Waits until it has stopped. */
  void awaitTermination() throws InterruptedException;

  /** Lets the calls under way end, within the worker's grace period, and stops it. */
  void drain();

  /** Stops it at once. */
  @Override
  void close();

  /** Starts workers. */
  interface Launcher {
    /** Starts one; it serves when this returns. */
    EmbeddedWorker start(WorkerOptions options) throws IOException;
  }
}

package dev.graft.cli;

import dev.graft.v1.ComputeDtype;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

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
    EmbeddedWorker start(Settings settings) throws IOException;
  }

  /**
   * How a worker is started.
   *
   * @param host address to listen on
   * @param port port to listen on; 0 means any free one
   * @param modelRoots directories under which backbones may lie
   * @param device "auto", "cpu" or "cuda:N"
   * @param lanes batches computed at the same time; empty means what suits the device
   * @param computeDtype what "auto" of a call stands for; unspecified means the fastest, measured
   */
  record Settings(
      String host,
      int port,
      List<Path> modelRoots,
      String device,
      OptionalInt lanes,
      ComputeDtype computeDtype) {}
}

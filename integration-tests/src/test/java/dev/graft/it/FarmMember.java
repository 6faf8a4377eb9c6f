package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.locks.ReentrantLock;

/** A worker of a farm: a process behind a connection, and the process after that. */
final class FarmMember implements AutoCloseable {
  /** Few, so that others can take them all. */
  static final int MOST_CALLS = 6;

  private final BreakableConnection connection;
  private volatile WorkerProcess process;

  /** Held by whoever does something to it. */
  final ReentrantLock turn = new ReentrantLock();

  private FarmMember(WorkerProcess process) {
    this.process = process;
    this.connection = BreakableConnection.to(process.port());
  }

  static FarmMember start() throws Exception {
    return new FarmMember(serve());
  }

  private static WorkerProcess serve() throws Exception {
    return WorkerProcess.serve(
        TinyModel.ROOT,
        "--max-concurrent-calls",
        Integer.toString(MOST_CALLS),
        "--drain-grace",
        "1");
  }

  /** Its name in a pool. */
  String name() {
    return "127.0.0.1:" + connection.port();
  }

  BreakableConnection connection() {
    return connection;
  }

  WorkerProcess process() {
    return process;
  }

  /** A new process, in place of one that has ended. */
  void startAgain() throws Exception {
    assertThat(process.isAlive()).isFalse();
    process.close();
    process = serve();
    connection.leadTo(process.port());
  }

  /** Whatever was done to it, it is alive then, and goes on. */
  void revive() throws Exception {
    if (process.isAlive()) {
      process.resume();
    } else {
      startAgain();
    }
  }

  @Override
  public void close() {
    connection.close();
    process.close();
  }
}

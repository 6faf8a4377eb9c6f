package dev.graft.cli.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;

/** One part of the benchmark: what runs in turns, and what is told of the medians. */
interface Comparison extends AutoCloseable {
  List<Run> runs() throws IOException, InterruptedException;

  /** Prints ratios of medians, after the table of all medians. */
  void print(Results results, PrintStream out);

  /** Takes back what it changed on the machine. */
  @Override
  default void close() throws IOException {}
}

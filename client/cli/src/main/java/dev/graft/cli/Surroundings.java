package dev.graft.cli;

import dev.graft.cli.progress.Progress;
import dev.graft.cli.progress.Terminal;
import java.io.PrintStream;
import java.time.Clock;

/**
 * What a command finds around it.
 *
 * @param out takes results
 * @param err takes progress and complaints
 */
record Surroundings(
    PrintStream out,
    PrintStream err,
    Terminal terminal,
    Clock clock,
    Interruption interruption,
    EmbeddedWorker.Launcher workers) {

  Progress progress() {
    return new Progress(err, terminal, clock);
  }
}

package dev.graft.cli.bench;

import java.util.List;

/**
 * A process that measures something of itself.
 *
 * @param name unique in a comparison
 * @param rounds how often it runs at most, in turns with the others
 */
record Run(String name, List<String> command, int rounds) {
  Run {
    command = List.copyOf(command);
  }
}

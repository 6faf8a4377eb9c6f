package dev.graft.cli.progress;

/**
 * Where progress is shown.
 *
 * @param isTerminal whether lines can be redrawn
 * @param columns width in characters
 */
public record Terminal(boolean isTerminal, int columns) {
  private static final int DEFAULT_COLUMNS = 80;

  /** Not a terminal. */
  public static Terminal none() {
    return new Terminal(false, DEFAULT_COLUMNS);
  }

  /**
   * What the standard error stream is. Java cannot tell for one stream alone, so the start script
   * says it in the properties {@code graft.terminal} and {@code graft.columns}.
   */
  public static Terminal detect() {
    boolean terminal = Boolean.getBoolean("graft.terminal");
    int columns = Integer.getInteger("graft.columns", DEFAULT_COLUMNS);
    return new Terminal(terminal, columns > 20 ? columns : DEFAULT_COLUMNS);
  }
}

package dev.graft.cli.progress;

import java.io.PrintStream;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;

/**
 * How far long work is: a bar that redraws itself on a terminal, possibly with lines below it, now
 * and then a plain line elsewhere.
 */
public final class Progress implements AutoCloseable {
  private static final long BAR_INTERVAL_MILLIS = 100;
  private static final long LINE_INTERVAL_MILLIS = 5_000;
  private static final int BAR_CELLS = 24;

  // Every terminal of today knows these two.
  private static final String CLEAR_BELOW = "\033[J";
  private static final String UP = "\033[%dA";

  private final PrintStream err;
  private final Terminal terminal;
  private final InstantSource clock;
  private String phase = "";
  private long phaseStart;
  private long phaseFirst;
  private long lastShown = Long.MIN_VALUE / 2;
  private String text = "";
  private int drawn;
  private List<String> below = List.of();
  private int drawnBelow;

  /** Progress on the standard error stream. */
  public Progress(PrintStream err, Terminal terminal, InstantSource clock) {
    this.err = err;
    this.terminal = terminal;
    this.clock = clock;
  }

  /**
   * Says how far the work is; shown when it is time to.
   *
   * @param newPhase what is being done; rate and remaining time count from a phase's first update
   * @param unit what is counted, in the plural
   * @param total how many there are, or 0 if that is unknown
   * @param details what else is worth showing, such as the loss; possibly empty
   */
  public synchronized void update(
      String newPhase, String unit, long done, long total, String details) {
    long now = clock.millis();
    if (!newPhase.equals(phase)) {
      phase = newPhase;
      phaseStart = now;
      phaseFirst = done;
    }
    long interval = terminal.isTerminal() ? BAR_INTERVAL_MILLIS : LINE_INTERVAL_MILLIS;
    if (now - lastShown < interval) {
      return;
    }
    lastShown = now;
    String shown = describe(unit, done, total, details, now);
    if (terminal.isTerminal()) {
      draw(shown);
    } else {
      err.println(shown);
    }
  }

  /** Says what is being waited for, on a terminal only. */
  public synchronized void status(String waitingFor) {
    if (terminal.isTerminal()) {
      draw(waitingFor);
    }
  }

  /** Shows lines below the bar until there are others, on a terminal only. */
  public synchronized void below(List<String> lines) {
    below = List.copyOf(lines);
    if (terminal.isTerminal() && !(below.isEmpty() && drawnBelow == 0)) {
      draw(text);
    }
  }

  private String describe(String unit, long done, long total, String details, long now) {
    StringBuilder line = new StringBuilder(phase);
    if (total > 0) {
      if (terminal.isTerminal()) {
        line.append(' ').append(bar((double) done / total));
      }
      line.append(String.format(Locale.ROOT, " %,d/%,d %s", done, total, unit));
    } else {
      line.append(String.format(Locale.ROOT, " %,d %s", done, unit));
    }
    double seconds = (now - phaseStart) / 1e3;
    double rate = seconds > 0 ? (done - phaseFirst) / seconds : 0;
    if (rate > 0) {
      line.append(String.format(Locale.ROOT, rate < 10 ? ", %.1f/s" : ", %,.0f/s", rate));
      if (total > done) {
        line.append(", ETA ").append(duration((total - done) / rate));
      }
    }
    if (!details.isEmpty()) {
      line.append(", ").append(details);
    }
    return line.toString();
  }

  private static String bar(double share) {
    int filled = (int) Math.round(Math.min(1, share) * BAR_CELLS);
    return "[" + "=".repeat(filled) + " ".repeat(BAR_CELLS - filled) + "]";
  }

  /** {@code m:ss} or {@code h:mm:ss}. */
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    String minutes =
        whole >= 3600 ? "%d:%02d".formatted(whole / 3600, whole / 60 % 60) : "" + whole / 60;
    return "%s:%02d".formatted(minutes, whole % 60);
  }

  private void draw(String newText) {
    text = newText;
    String line = fitting(text);
    err.print("\r" + line + " ".repeat(Math.max(0, drawn - line.length())));
    drawn = line.length();
    if (drawnBelow > 0) {
      err.print(CLEAR_BELOW);
    }
    below.forEach(lower -> err.print("\n" + fitting(lower)));
    if (!below.isEmpty()) {
      err.print("\r" + UP.formatted(below.size()));
    }
    drawnBelow = below.size();
    err.flush();
  }

  private String fitting(String line) {
    return line.length() < terminal.columns() ? line : line.substring(0, terminal.columns() - 1);
  }

  /** Prints a line that stays, above the bar. */
  public synchronized void message(String line) {
    clear();
    err.println(line);
  }

  private void clear() {
    if (drawn > 0) {
      err.print("\r" + " ".repeat(drawn) + "\r");
    }
    if (drawnBelow > 0) {
      err.print(CLEAR_BELOW);
    }
    err.flush();
    drawn = 0;
    drawnBelow = 0;
  }

  /** Takes the bar away. */
  @Override
  public synchronized void close() {
    clear();
  }
}

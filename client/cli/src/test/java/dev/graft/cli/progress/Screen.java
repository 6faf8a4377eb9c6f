package dev.graft.cli.progress;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a terminal shows of what was printed, as far as progress uses it. */
final class Screen {
  private static final Pattern PIECE = Pattern.compile("\\r|\\n|\\033\\[J|\\033\\[(\\d+)A|.");

  private final List<StringBuilder> lines = new ArrayList<>(List.of(new StringBuilder()));
  private int row;
  private int column;

  private Screen() {}

  /** The lines, without spaces at their ends; those at the bottom that are empty are left out. */
  static List<String> of(String printed) {
    Screen screen = new Screen();
    Matcher pieces = PIECE.matcher(printed);
    while (pieces.find()) {
      screen.print(pieces.group(), pieces.group(1));
    }
    List<String> shown =
        new ArrayList<>(
            screen.lines.stream().map(line -> line.toString().stripTrailing()).toList());
    while (!shown.isEmpty() && shown.get(shown.size() - 1).isEmpty()) {
      shown.remove(shown.size() - 1);
    }
    return shown;
  }

  private void print(String piece, String up) {
    if (up != null) {
      row -= Integer.parseInt(up);
    } else if (piece.equals("\r")) {
      column = 0;
    } else if (piece.equals("\n")) {
      row++;
      column = 0;
      if (row == lines.size()) {
        lines.add(new StringBuilder());
      }
    } else if (piece.startsWith("\033")) {
      lines.get(row).setLength(Math.min(column, lines.get(row).length()));
      lines.subList(row + 1, lines.size()).clear();
    } else {
      StringBuilder line = lines.get(row);
      line.append(" ".repeat(Math.max(0, column + 1 - line.length())));
      line.setCharAt(column, piece.charAt(0));
      column++;
    }
  }
}

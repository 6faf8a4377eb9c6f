package dev.graft.cli.items;

import dev.graft.v1.Content;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/**
 * CSV as RFC 4180 has it: quoted fields may hold commas, line ends and doubled quotes. The header
 * names the columns {@code text}, {@code label}, {@code id} and {@code pair}; others are ignored.
 */
final class CsvReader implements ItemReader {
  private final Path file;
  private final Lines lines;
  private final List<String> header;
  private final int text;
  private final int label;
  private final int id;
  private final int pair;
  private long items;

  CsvReader(Path file) throws IOException {
    this.file = file;
    this.lines = new Lines(file);
    boolean ready = false;
    try {
      this.header = row().orElseThrow(() -> new BadItemException(file, 1, "the header is missing"));
      this.text = header.indexOf("text");
      this.label = header.indexOf("label");
      this.id = header.indexOf("id");
      this.pair = header.indexOf("pair");
      checkHeader();
      ready = true;
    } finally {
      if (!ready) {
        lines.close();
      }
    }
  }

  private void checkHeader() {
    if (text < 0) {
      throw new BadItemException(
          file, 1, "the header must name a column \"text\"; it names " + String.join(", ", header));
    }
    if (new HashSet<>(header).size() < header.size()) {
      throw new BadItemException(file, 1, "the header names a column twice");
    }
  }

  @Override
  public Optional<InputItem> next() throws IOException {
    long line;
    Optional<List<String>> row;
    do {
      line = lines.number() + 1;
      row = row();
    } while (row.isPresent() && header.size() > 1 && isBlankLine(row.get()));
    if (row.isEmpty()) {
      return Optional.empty();
    }
    List<String> fields = row.get();
    if (fields.size() != header.size()) {
      throw new BadItemException(
          file,
          line,
          fields.size()
              + " fields where the header has "
              + header.size()
              + "; a field with a comma must be quoted");
    }
    return Optional.of(
        new InputItem(
            items++,
            line,
            field(fields, id),
            content(fields.get(text)),
            field(fields, pair).map(CsvReader::content),
            field(fields, label).map(value -> LabelValue.one(LabelValue.Scalar.guess(value)))));
  }

  private static boolean isBlankLine(List<String> fields) {
    return fields.size() == 1 && fields.get(0).isEmpty();
  }

  private static Content content(String text) {
    return Content.newBuilder().setText(text).build();
  }

  private static Optional<String> field(List<String> fields, int column) {
    return column < 0 || fields.get(column).isEmpty()
        ? Optional.empty()
        : Optional.of(fields.get(column));
  }

  /** The fields of the next record; a quoted field goes on over line ends. */
  private Optional<List<String>> row() throws IOException {
    String line = lines.next();
    if (line == null) {
      return Optional.empty();
    }
    long firstLine = lines.number();
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    int at = 0;
    while (true) {
      if (at < line.length() && line.charAt(at) == '"') {
        at++;
        while (true) {
          int quote = line.indexOf('"', at);
          if (quote < 0) {
            field.append(line, at, line.length()).append('\n');
            line = lines.next();
            if (line == null) {
              throw new BadItemException(file, firstLine, "a quoted field is never closed");
            }
            at = 0;
          } else if (quote + 1 < line.length() && line.charAt(quote + 1) == '"') {
            field.append(line, at, quote + 1);
            at = quote + 2;
          } else {
            field.append(line, at, quote);
            at = quote + 1;
            break;
          }
        }
        if (at < line.length() && line.charAt(at) != ',') {
          throw new BadItemException(
              file, lines.number(), "text after a closing quote; double a quote to keep it");
        }
      } else {
        int comma = line.indexOf(',', at);
        int end = comma < 0 ? line.length() : comma;
        field.append(line, at, end);
        at = end;
      }
      fields.add(field.toString());
      field.setLength(0);
      if (at >= line.length()) {
        return Optional.of(fields);
      }
      at++; // the comma
    }
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}

package dev.graft.cli.items;

import dev.graft.v1.Content;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Plain text: a line is an item, an empty line too, so that row and line numbers agree. */
final class TextReader implements ItemReader {
  private final Lines lines;

  TextReader(Path file) throws IOException {
    this.lines = new Lines(file);
  }

  @Override
  public Optional<InputItem> next() throws IOException {
    String line = lines.next();
    if (line == null) {
      return Optional.empty();
    }
    Content content = Content.newBuilder().setText(line).build();
    return Optional.of(
        new InputItem(
            lines.number() - 1,
            lines.number(),
            Optional.empty(),
            content,
            Optional.empty(),
            Optional.empty()));
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}

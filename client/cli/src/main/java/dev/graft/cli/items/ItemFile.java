package dev.graft.cli.items;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;

/** A file of items. It is never held in memory; each use reads it anew. */
public final class ItemFile {
  private enum Format {
    JSON_LINES,
    CSV,
    TEXT
  }

  private final Path path;
  private final Format format;

  private ItemFile(Path path, Format format) {
    this.path = path;
    this.format = format;
  }

  /** The file at a path; its name's end says how it is written. */
  public static ItemFile of(Path path) {
    if (!Files.exists(path)) {
      throw new BadItemException(path, "no such file");
    }
    if (!Files.isRegularFile(path)) {
      throw new BadItemException(path, "not a regular file");
    }
    String name = path.getFileName().toString();
    if (name.endsWith(".jsonl")) {
      return new ItemFile(path, Format.JSON_LINES);
    }
    if (name.endsWith(".csv")) {
      return new ItemFile(path, Format.CSV);
    }
    if (name.endsWith(".txt")) {
      return new ItemFile(path, Format.TEXT);
    }
    throw new BadItemException(
        path,
        "cannot tell the format from the name; it must end in .jsonl (one JSON object a line),"
            + " .csv (with a header) or .txt (one text a line)");
  }

  public Path path() {
    return path;
  }

  /** Opens the file for one pass. */
  public Items open() throws IOException {
    return new Items(reader());
  }

  /** As {@link #open}, for iterators, which cannot throw what it throws. */
  public Items openUnchecked() {
    try {
      return open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As {@link #count}, and finds items that have the same id, or one's id another's number. */
  public long countDistinctlyNamed() throws IOException {
    Map<String, Long> lines = new HashMap<>();
    long count = 0;
    try (Items items = open()) {
      while (items.hasNext()) {
        InputItem item = items.next();
        count++;
        Long before = lines.put(item.name(), item.line());
        if (before != null) {
          throw bad(item, "it is called \"" + item.name() + "\", as the item of line " + before);
        }
        if (item.name().equals("__metadata__")) {
          throw bad(item, "the name \"__metadata__\" is reserved in safetensors files");
        }
      }
    }
    return count;
  }

  /** Number of items. Reads the whole file, and finds what is malformed in it. */
  public long count() throws IOException {
    long count = 0;
    try (Items items = open()) {
      for (; items.hasNext(); items.next()) {
        count++;
      }
    }
    return count;
  }

  /** Where the item of a number stands, for messages: {@code file:line}. */
  public String locate(long number) throws IOException {
    try (Items items = open()) {
      while (items.hasNext()) {
        InputItem item = items.next();
        if (item.number() == number) {
          return path + ":" + item.line();
        }
      }
    }
    return path.toString();
  }

  BadItemException bad(InputItem item, String what) {
    return new BadItemException(path, item.line(), what);
  }

  BadItemException bad(String what) {
    return new BadItemException(path, what);
  }

  private ItemReader reader() throws IOException {
    return switch (format) {
      case JSON_LINES -> new JsonLinesReader(path);
      case CSV -> new CsvReader(path);
      case TEXT -> new TextReader(path);
    };
  }

  /** One pass over the items. */
  public static final class Items implements Iterator<InputItem>, Closeable {
    private final ItemReader reader;
    private Optional<InputItem> ahead = Optional.empty();
    private boolean ended;

    private Items(ItemReader reader) {
      this.reader = reader;
    }

    @Override
    public boolean hasNext() {
      if (ahead.isEmpty() && !ended) {
        try {
          ahead = reader.next();
          ended = ahead.isEmpty();
          if (ended) {
            reader.close();
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return ahead.isPresent();
    }

    @Override
    public InputItem next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      InputItem item = ahead.orElseThrow();
      ahead = Optional.empty();
      return item;
    }

    @Override
    public void close() throws IOException {
      reader.close();
    }
  }
}

package dev.graft.cli.items;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/** Reads the items of one file in order. */
interface ItemReader extends Closeable {
  /** The next item, or empty at the end. */
  Optional<InputItem> next() throws IOException;
}

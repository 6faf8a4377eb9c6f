package dev.graft.cli.items;

import java.nio.file.Path;

/** Something in a file of items is wrong. The message says which file and line, and what. */
public final class BadItemException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BadItemException(Path file, long line, String what) {
    super(file + ":" + line + ": " + what);
  }

  BadItemException(Path file, String what) {
    super(file + ": " + what);
  }
}

package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Function;

/** The errors of files that are not what they should be. */
final class Corruption {
  private Corruption() {}

  static GraftException of(Path file, String problem) {
    return GraftException.failedPrecondition("CORRUPT_CHECKPOINT", file + ": " + problem)
        .with("file", file);
  }

  static GraftException of(Path file, String tensor, String problem) {
    return of(file, "tensor " + tensor + ": " + problem).with("tensor", tensor);
  }

  /** A file that the system refuses to read. */
  static GraftException unreadable(Path file, IOException cause) {
    return of(file, "cannot be read: " + cause).causedBy(cause);
  }

  /** A file of a kind that is never read. */
  static GraftException unsupportedFormat(Path file, String problem) {
    return GraftException.failedPrecondition("UNSUPPORTED_FORMAT", file + ": " + problem)
        .with("file", file);
  }

  /** What to throw for a problem of this file. */
  static Function<String, GraftException> in(Path file) {
    return problem -> of(file, problem);
  }
}

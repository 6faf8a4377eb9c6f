package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.TensorEntry;

/** The errors of stored tensors that are not what their scheme says. */
final class WrongEntry {
  private WrongEntry() {}

  /** The error of a tensor that no writer could have made. */
  static GraftException corrupt(TensorEntry entry, String problem) {
    return error("CORRUPT_CHECKPOINT", entry, problem);
  }

  /** That of a setting that is not read. */
  static GraftException unsupported(TensorEntry entry, String option, String problem) {
    return error("UNSUPPORTED_OPTION", entry, problem).with("option", option);
  }

  /** That of a tensor of another type than its scheme's. */
  static GraftException type(TensorEntry entry, Object expected) {
    return corrupt(entry, "is stored as %s; it must be %s".formatted(entry.type(), expected));
  }

  private static GraftException error(String reason, TensorEntry entry, String problem) {
    return GraftException.failedPrecondition(
            reason, "%s: tensor %s %s".formatted(entry.file(), entry.name(), problem))
        .with("file", entry.file())
        .with("tensor", entry.name());
  }
}

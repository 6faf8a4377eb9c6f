package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.util.Locale;

/** Errors of writing results, as callers can understand them. */
final class DiskErrors {
  private DiskErrors() {}

  /** What the file system said; it tells a full disk from others only by its words. */
  static GraftException explained(IOException error) {
    String said = String.valueOf(error.getMessage());
    String lower = said.toLowerCase(Locale.ROOT);
    if (lower.contains("no space left") || lower.contains("quota exceeded")) {
      return GraftException.of(
              GraftException.Category.RESOURCE_EXHAUSTED,
              "DISK_FULL",
              "The result does not fit the worker's disk; nothing of it was left there. Make room,"
                  + " or name a destination on another disk.")
          .causedBy(error);
    }
    return GraftException.failedPrecondition(
            "NOT_WRITABLE",
            "The result could not be written, and nothing of it was left: "
                + said
                + ". Check the permissions of the writable root, or name another destination.")
        .causedBy(error);
  }
}

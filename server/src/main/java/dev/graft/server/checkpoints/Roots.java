package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Directories that something may not lead out of.
 *
 * @param configured absolute
 * @param real the same with links resolved
 */
record Roots(List<Path> configured, List<Path> real) {
  /**
   * @param notFound the error of one that is no directory
   */
  static Roots of(List<Path> roots, Function<Path, GraftException> notFound) {
    return new Roots(
        roots.stream().map(root -> root.toAbsolutePath().normalize()).toList(),
        roots.stream().map(root -> real(root, notFound)).toList());
  }

  private static Path real(Path root, Function<Path, GraftException> notFound) {
    try {
      Path real = root.toRealPath();
      if (Files.isDirectory(real)) {
        return real;
      }
      throw notFound.apply(root);
    } catch (IOException e) {
      throw notFound.apply(root).causedBy(e);
    }
  }

  /** Whether a path, links already resolved, lies in one of the roots. */
  boolean permit(Path path) {
    return real.stream().anyMatch(path::startsWith);
  }

  /** Whether a path lies in one of the roots as it is written. */
  boolean permitAsWritten(Path normalized) {
    return permit(normalized) || configured.stream().anyMatch(normalized::startsWith);
  }
}

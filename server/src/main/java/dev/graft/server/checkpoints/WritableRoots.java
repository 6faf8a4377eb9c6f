package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The directories under which results may be written. A place is judged by where it leads once
 * every link is followed; whether something exists outside is never told.
 */
public final class WritableRoots {
  private final Roots roots;

  private WritableRoots(Roots roots) {
    this.roots = roots;
  }

  /**
   * Takes the roots as configured.
   *
   * @throws GraftException NOT_FOUND WRITABLE_ROOT_NOT_FOUND if one is not a directory
   */
  public static WritableRoots of(List<Path> roots) {
    return new WritableRoots(Roots.of(roots, WritableRoots::rootNotFound));
  }

  private static GraftException rootNotFound(Path root) {
    return GraftException.of(
            Category.NOT_FOUND,
            "WRITABLE_ROOT_NOT_FOUND",
            "writable root " + root + " is no directory")
        .with("root", root);
  }

  /** The roots, links resolved. */
  public List<Path> roots() {
    return roots.real();
  }

  /**
   * The place of a directory that is to be made.
   *
   * @param destination relative to one of the roots (the first that has its parent), or absolute
   * @return where it would be, the links of its parent resolved
   * @throws GraftException INVALID_ARGUMENT INVALID_DESTINATION, FAILED_PRECONDITION
   *     DESTINATION_EXISTS, or PERMISSION_DENIED OUTSIDE_WRITABLE_ROOTS
   */
  public Path resolve(String destination) {
    Path path = parse(destination);
    boolean inside = false;
    for (Path root : roots.configured()) {
      Path candidate = root.resolve(path).normalize();
      if (candidate.equals(root) || roots.real().contains(candidate)) {
        throw exists(path);
      }
      boolean lexically = roots.permitAsWritten(candidate);
      Optional<Path> parent = real(candidate.getParent());
      boolean leadsOut = parent.isPresent() && !roots.permit(parent.get());
      inside |= lexically && !leadsOut;
      if (parent.isPresent() && roots.permit(parent.get()) && Files.isDirectory(parent.get())) {
        Path place = parent.get().resolve(candidate.getFileName());
        if (Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
          throw exists(path);
        }
        return place;
      }
    }
    throw inside ? noParent(path) : outside(path);
  }

  private static Optional<Path> real(Path path) {
    try {
      return path == null ? Optional.empty() : Optional.of(path.toRealPath());
    } catch (IOException e) {
      // Missing, a loop of links, or not ours to look into: all the same to the caller.
      return Optional.empty();
    }
  }

  private static Path parse(String destination) {
    try {
      Path path = Path.of(destination);
      if (path.getFileName() != null && !destination.isBlank()) {
        return path;
      }
    } catch (InvalidPathException e) {
      throw invalid("is not a path: " + e.getReason()).causedBy(e);
    }
    throw invalid("names no directory");
  }

  private static GraftException invalid(String problem) {
    return GraftException.invalidArgument("INVALID_DESTINATION", "destination " + problem)
        .with("field", "destination");
  }

  private GraftException noParent(Path path) {
    return invalid(
        "%s: its parent directory does not exist under the writable roots %s; make it first"
            .formatted(path, roots.configured()));
  }

  private static GraftException exists(Path path) {
    return GraftException.failedPrecondition(
            "DESTINATION_EXISTS",
            "destination %s exists already; remove it, or name another directory".formatted(path))
        .with("destination", path);
  }

  private GraftException outside(Path path) {
    return GraftException.of(
            Category.PERMISSION_DENIED,
            "OUTSIDE_WRITABLE_ROOTS",
            roots.configured().isEmpty()
                ? "This worker writes nowhere: start it with --writable-root, or leave destination"
                    + " unset to have the files sent back."
                : "destination %s is not under the writable roots %s: name a directory there, or start the worker with another --writable-root"
                    .formatted(path, roots.configured()))
        .with("destination", path);
  }
}

package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/**
 * The directories under which backbones may lie. A path is judged by where it leads once every link
 * is followed, so neither {@code ..} nor a link leads out; and whether something exists outside is
 * never told.
 */
public final class ModelRoots {
  private final Roots roots;

  private ModelRoots(Roots roots) {
    this.roots = roots;
  }

  /**
   * Takes the roots as configured.
   *
   * @throws GraftException NOT_FOUND MODEL_ROOT_NOT_FOUND if one is not a directory
   */
  public static ModelRoots of(List<Path> roots) {
    return new ModelRoots(Roots.of(roots, ModelRoots::rootNotFound));
  }

  private static GraftException rootNotFound(Path root) {
    return GraftException.of(
            Category.NOT_FOUND, "MODEL_ROOT_NOT_FOUND", "model root " + root + " is no directory")
        .with("root", root);
  }

  /** The roots, links resolved. */
  public List<Path> roots() {
    return roots.real();
  }

  /**
   * Finds the directory of a backbone, or its GGUF file.
   *
   * @param backbone relative to one of the roots (the first that has it), or absolute
   * @return the directory or file, links resolved
   * @throws GraftException INVALID_ARGUMENT INVALID_BACKBONE_PATH, NOT_FOUND BACKBONE_NOT_FOUND, or
   *     PERMISSION_DENIED OUTSIDE_MODEL_ROOTS
   */
  public Path resolve(String backbone) {
    Path path = parse(backbone);
    boolean inside = false;
    boolean leadsOut = false;
    for (Path root : roots.configured()) {
      Path candidate = root.resolve(path);
      inside |= roots.permitAsWritten(candidate.normalize());
      try {
        Path real = candidate.toRealPath();
        leadsOut |= !permits(real);
        if (permits(real) && (Files.isDirectory(real) || isGguf(path, real))) {
          return real;
        }
      } catch (IOException e) {
        // Missing, a loop of links, or not ours to look into: all the same to the caller, who is
        // told below that there is no such directory.
      }
    }
    throw leadsOut || !inside ? outside(path) : notFound(path);
  }

  /** In the Hugging Face cache, the file that a link leads to has another name. */
  private static boolean isGguf(Path path, Path real) {
    return path.toString().endsWith(Gguf.SUFFIX) && Files.isRegularFile(real);
  }

  /** Whether a path, links already resolved, lies in one of the roots. */
  boolean permits(Path real) {
    return roots.permit(real);
  }

  private static Path parse(String backbone) {
    if (backbone.isBlank()) {
      throw GraftException.invalidArgument(
          "INVALID_BACKBONE_PATH",
          "no backbone given: name a directory, or a GGUF file, under a model root");
    }
    try {
      return Path.of(backbone);
    } catch (InvalidPathException e) {
      throw GraftException.invalidArgument(
              "INVALID_BACKBONE_PATH", "backbone is not a path: " + e.getReason())
          .causedBy(e);
    }
  }

  private GraftException notFound(Path path) {
    return GraftException.of(
            Category.NOT_FOUND,
            "BACKBONE_NOT_FOUND",
            "backbone %s: no such directory or GGUF file under the model roots %s"
                .formatted(path, roots.configured()))
        .with("backbone", path);
  }

  private GraftException outside(Path path) {
    return outside(path, "backbone " + path);
  }

  /** The error for something that lies, or leads, out of the roots. */
  GraftException outside(Path path, String what) {
    return GraftException.of(
            Category.PERMISSION_DENIED,
            "OUTSIDE_MODEL_ROOTS",
            "%s leads out of the model roots %s: move it there, or start the worker with another --model-root"
                .formatted(what, roots.configured()))
        .with("path", path);
  }
}

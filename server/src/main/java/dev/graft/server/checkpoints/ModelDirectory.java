package dev.graft.server.checkpoints;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Finds files in a model's directory. They may be links, as in the Hugging Face cache, but only to
 * where the roots permit.
 */
public record ModelDirectory(Path path, ModelRoots roots) {
  /** The regular file of this name, links resolved; empty if there is nothing of this name. */
  public Optional<Path> find(String name) {
    Path file = path.resolve(name);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    Path real;
    try {
      real = file.toRealPath();
    } catch (IOException e) {
      throw Corruption.of(file, "is a link that leads nowhere").causedBy(e);
    }
    if (!roots.permits(real)) {
      throw roots.outside(file, "file " + file);
    }
    if (!Files.isRegularFile(real)) { // a pipe would block its reader for ever
      throw Corruption.of(file, "is not a regular file");
    }
    return Optional.of(real);
  }

  /** The same, and empty for a directory too. */
  Optional<Path> findFile(String name) {
    return Files.isDirectory(path.resolve(name)) ? Optional.empty() : find(name);
  }

  /** Names in the directory that end so, sorted. */
  List<String> namesEndingWith(String suffix) {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(suffix)) {
          names.add(name);
        }
      }
    } catch (IOException e) {
      throw Corruption.unreadable(path, e);
    }
    Collections.sort(names);
    return names;
  }
}

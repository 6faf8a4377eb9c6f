package dev.graft.server.jobs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a directory's files, or one file, look like from outside: enough to see that one was
 * replaced.
 *
 * @param files by name: inode, size and time of the last change
 */
record DirectoryState(SortedMap<String, String> files) {
  static DirectoryState of(Path directory) {
    SortedMap<String, String> files = new TreeMap<>();
    try (Stream<Path> paths =
        Files.isDirectory(directory) ? Files.list(directory) : Stream.of(directory)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        if (Files.exists(path)) {
          BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
          files.put(
              path.getFileName().toString(),
              attributes.fileKey() + " " + attributes.size() + " " + attributes.lastModifiedTime());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("The directory cannot be listed: " + directory, e);
    }
    return new DirectoryState(files);
  }
}

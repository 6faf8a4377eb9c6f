package dev.graft.server.jobs;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.UUID;

/**
 * Where a result grows: beside its destination, under a hidden name, or else among the temporary
 * files. Closed before it was put in its place, it leaves nothing.
 */
final class WorkDirectory implements AutoCloseable {
  private final Path path;

  private WorkDirectory(Path path) {
    this.path = path;
  }

  static WorkDirectory create(Optional<Path> destination) throws IOException {
    if (destination.isEmpty()) {
      return new WorkDirectory(Files.createTempDirectory("graft-quantize"));
    }
    Path target = destination.get();
    String name = ".%s.%s.partial".formatted(target.getFileName(), UUID.randomUUID());
    return new WorkDirectory(Files.createDirectory(target.resolveSibling(name)));
  }

  Path path() {
    return path;
  }

  /** Puts the directory in its place, where nothing may be. */
  void moveTo(Path destination) throws IOException {
    Files.move(path, destination, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void close() throws IOException {
    if (!Files.exists(path)) {
      return; // moved
    }
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException failed)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

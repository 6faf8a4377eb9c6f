package dev.graft.cli;

import java.nio.file.Path;

/** What a file name's end says. */
final class FileTypes {
  private FileTypes() {}

  static boolean hasExtension(Path file, String extension) {
    Path name = file.getFileName();
    return name != null && name.toString().endsWith(extension);
  }
}

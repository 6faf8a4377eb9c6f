package dev.graft.server.checkpoints;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Makes the files of a result; a seam for disks that fail. */
@FunctionalInterface
public interface FileOpener {
  /** Real files, that must not be there yet. */
  FileOpener NEW_FILES =
      file -> FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);

  /** Makes a file and opens it for writing. */
  FileChannel create(Path file) throws IOException;
}

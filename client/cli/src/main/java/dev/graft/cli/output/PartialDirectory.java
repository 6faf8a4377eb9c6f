package dev.graft.cli.output;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A directory of files that is written beside its place, under a hidden name, and takes it when it
 * is whole. Closed before that, it leaves nothing.
 */
public final class PartialDirectory implements Closeable {
  private final Path target;
  private final Path partial;
  private FileChannel channel; // of the file under way, or null
  private boolean committed;

  private PartialDirectory(Path target, Path partial) {
    this.target = target;
    this.partial = partial;
  }

  /** Starts a directory, which must be new in one that exists. */
  public static PartialDirectory at(Path target) throws IOException {
    Path absolute = requireNew(target);
    String name = "." + absolute.getFileName() + ".partial-" + ProcessHandle.current().pid();
    return new PartialDirectory(absolute, Files.createDirectory(absolute.resolveSibling(name)));
  }

  /** Checks that a directory can be made, so that nothing is computed in vain. */
  public static Path requireNew(Path target) throws IOException {
    Path absolute = target.toAbsolutePath().normalize();
    if (Files.exists(absolute, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(
          target.toString(), null, "exists already; remove it, or name another directory");
    }
    Path parent = absolute.getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new NoSuchFileException(target.toString(), null, "its directory does not exist");
    }
    return absolute;
  }

  /** Writes the next part of a file; a part at byte 0 begins it. */
  public void write(String name, long offset, ByteBuffer part, boolean last) throws IOException {
    if (offset == 0) {
      channel =
          FileChannel.open(
              partial.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }
    Channels.writeFully(channel, part, offset);
    if (last) {
      channel.force(true);
      channel.close();
      channel = null;
    }
  }

  /** Puts the directory in its place. */
  public void commit() throws IOException {
    Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    committed = true;
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
    if (!committed) {
      Directories.delete(partial);
    }
  }
}

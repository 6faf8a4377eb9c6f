package dev.graft.cli.output;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is written beside its place, under a hidden name, and takes it when it is whole.
 * Closed before that, it leaves nothing.
 */
public final class PartialFile implements Closeable {
  private final Path target;
  private final Path partial;
  private final FileChannel channel;
  private boolean committed;

  private PartialFile(Path target, Path partial, FileChannel channel) {
    this.target = target;
    this.partial = partial;
    this.channel = channel;
  }

  /** Starts a file. Its directory must exist, so that a mistyped path is not created. */
  public static PartialFile at(Path target) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path directory = absolute.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new NoSuchFileException(target.toString(), null, "its directory does not exist");
    }
    if (Files.isDirectory(absolute)) {
      throw new IOException(target + " is a directory; name a file");
    }
    String name = "." + absolute.getFileName() + ".partial-" + ProcessHandle.current().pid();
    Path partial = directory.resolve(name);
    FileChannel channel =
        FileChannel.open(
            partial,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    return new PartialFile(target, partial, channel);
  }

  /** Writes a whole file at once. */
  public static void write(Path target, byte[] content) throws IOException {
    try (PartialFile file = at(target)) {
      Channels.writeFully(file.channel, ByteBuffer.wrap(content), 0);
      file.commit();
    }
  }

  /** Where to write. */
  public FileChannel channel() {
    return channel;
  }

  /** Puts the file in its place. */
  public void commit() throws IOException {
    channel.force(true);
    channel.close();
    try {
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING);
    }
    committed = true;
  }

  @Override
  public void close() throws IOException {
    channel.close();
    if (!committed) {
      Files.deleteIfExists(partial);
    }
  }
}

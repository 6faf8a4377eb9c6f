package dev.graft.server.checkpoints;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Random access to a file's bytes through a small window that follows the reader. Unlike a mapped
 * file it survives that somebody cuts the file meanwhile.
 */
final class FileWindow implements AutoCloseable {
  private static final int WINDOW_BYTES = 1 << 14;

  private final Path file;
  private final FileChannel channel;
  private final long size;
  private final ByteBuffer window = ByteBuffer.allocate(WINDOW_BYTES).limit(0);
  private long windowStart;

  FileWindow(Path file) {
    this.file = file;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
      size = channel.size();
    } catch (IOException e) {
      throw Corruption.unreadable(file, e);
    }
  }

  Path file() {
    return file;
  }

  long size() {
    return size;
  }

  /** The byte at a position below {@link #size()}. */
  byte get(long position) {
    long index = position - windowStart;
    if (index < 0 || index >= window.limit()) {
      moveTo(position);
      index = 0;
    }
    return window.get((int) index);
  }

  private void moveTo(long position) {
    try {
      window.clear();
      if (channel.read(window, position) <= 0) {
        throw Corruption.of(file, "the file was cut while it was in use");
      }
      window.flip();
      windowStart = position;
    } catch (IOException e) {
      throw Corruption.unreadable(file, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw Corruption.unreadable(file, e);
    }
  }
}

package dev.graft.server.jobs;

import dev.graft.server.checkpoints.FileOpener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/** Files that take a number of bytes together, and say then what a full disk says. */
final class SmallDisk implements FileOpener {
  private final AtomicLong room;
  private final long size;

  SmallDisk(long bytes) {
    size = bytes;
    room = new AtomicLong(bytes);
  }

  /** Bytes that were written. */
  long written() {
    return size - room.get();
  }

  @Override
  public FileChannel create(Path file) throws IOException {
    return new Limited(NEW_FILES.create(file));
  }

  private void take(long bytes) throws IOException {
    if (room.addAndGet(-bytes) < 0) {
      throw new IOException("No space left on device");
    }
  }

  private final class Limited extends FileChannel {
    private final FileChannel file;

    Limited(FileChannel file) {
      this.file = file;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      take(bytes.remaining());
      return file.write(bytes);
    }

    @Override
    public long write(ByteBuffer[] bytes, int offset, int length) throws IOException {
      for (int i = offset; i < offset + length; i++) {
        take(bytes[i].remaining());
      }
      return file.write(bytes, offset, length);
    }

    @Override
    public int write(ByteBuffer bytes, long at) throws IOException {
      take(bytes.remaining());
      return file.write(bytes, at);
    }

    @Override
    public long transferFrom(ReadableByteChannel from, long at, long count) throws IOException {
      take(count);
      return file.transferFrom(from, at, count);
    }

    @Override
    public int read(ByteBuffer bytes) throws IOException {
      return file.read(bytes);
    }

    @Override
    public long read(ByteBuffer[] bytes, int offset, int length) throws IOException {
      return file.read(bytes, offset, length);
    }

    @Override
    public int read(ByteBuffer bytes, long at) throws IOException {
      return file.read(bytes, at);
    }

    @Override
    public long transferTo(long at, long count, WritableByteChannel to) throws IOException {
      return file.transferTo(at, count, to);
    }

    @Override
    public long position() throws IOException {
      return file.position();
    }

    @Override
    public FileChannel position(long newPosition) throws IOException {
      file.position(newPosition);
      return this;
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public FileChannel truncate(long newSize) throws IOException {
      file.truncate(newSize);
      return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
      file.force(metaData);
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long at, long length) throws IOException {
      return file.map(mode, at, length);
    }

    @Override
    public FileLock lock(long at, long length, boolean shared) throws IOException {
      return file.lock(at, length, shared);
    }

    @Override
    public FileLock tryLock(long at, long length, boolean shared) throws IOException {
      return file.tryLock(at, length, shared);
    }

    @Override
    protected void implCloseChannel() throws IOException {
      file.close();
    }
  }
}

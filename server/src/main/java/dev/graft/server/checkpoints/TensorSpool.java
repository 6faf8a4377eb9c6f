package dev.graft.server.checkpoints;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A scratch file for tensors whose sizes, and with them their places in the result, are known only
 * when all are done. They lie in it in the order of their coming. Safe to use from many threads.
 */
public final class TensorSpool implements AutoCloseable {
  /** Places are multiples of this, so that every type can be mapped. */
  private static final long ALIGNMENT_BYTES = 64;

  private final Path file;
  private final FileChannel channel;

  /** Guarded by this. */
  private long end;

  private TensorSpool(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** Starts a file. */
  public static TensorSpool create(Path file, FileOpener files) throws IOException {
    return new TensorSpool(file, files.create(file));
  }

  /** Where the file is. */
  public Path directory() {
    return file.toAbsolutePath().getParent();
  }

  /** Writes a whole tensor. */
  public TensorEntry append(TensorData tensor) throws IOException {
    ByteBuffer bytes = tensor.bytes();
    Writer writer = reserve(tensor.name(), tensor.type(), tensor.shape(), bytes.remaining());
    writer.write(bytes);
    return writer.entry();
  }

  /** Gives a tensor its place; its bytes follow in order. */
  public synchronized Writer reserve(String name, StoredType type, long[] shape, long bytes) {
    TensorEntry entry = new TensorEntry(name, type, shape, file, end, bytes, false);
    end += (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    return new Writer(entry);
  }

  /** Ends the writing; what was written can be read until the file is deleted. */
  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Writes one tensor, for one thread. */
  public final class Writer {
    private final TensorEntry entry;
    private long written;

    private Writer(TensorEntry entry) {
      this.entry = entry;
    }

    /** Writes the next bytes of the tensor. */
    public void write(ByteBuffer bytes) throws IOException {
      while (bytes.hasRemaining()) {
        written += channel.write(bytes, entry.offset() + written);
      }
    }

    /** Where the tensor is, once all of it is written. */
    public TensorEntry entry() {
      if (written != entry.bytes()) {
        throw new IllegalStateException(
            "%d of the %d bytes of %s were written"
                .formatted(written, entry.bytes(), entry.name()));
      }
      return entry;
    }
  }
}

package dev.graft.server.checkpoints;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * Where a tensor lies in a file: {@code bytes} little-endian, row-major bytes from {@code offset}.
 * The offset need not be a multiple of the element size.
 */
public final class TensorEntry {
  private final String name;
  private final StoredType type;
  private final long[] shape;
  private final Path file;
  private final long offset;
  private final long bytes;
  private final boolean transposed;

  TensorEntry(
      String name,
      StoredType type,
      long[] shape,
      Path file,
      long offset,
      long bytes,
      boolean transposed) {
    if (transposed && shape.length != 2) {
      throw new IllegalArgumentException("only a matrix can be stored transposed: " + name);
    }
    this.name = name;
    this.type = type;
    this.shape = shape.clone();
    this.file = file;
    this.offset = offset;
    this.bytes = bytes;
    this.transposed = transposed;
  }

  public String name() {
    return name;
  }

  public StoredType type() {
    return type;
  }

  /** The tensor's shape, slowest dimension first; for a transposed entry the logical one. */
  public long[] shape() {
    return shape.clone();
  }

  /** The file that holds it, links resolved. */
  public Path file() {
    return file;
  }

  /** First byte, counted from the beginning of the file. */
  public long offset() {
    return offset;
  }

  /** Size in bytes. */
  public long bytes() {
    return bytes;
  }

  /**
   * Whether the file holds the transpose: {@code shape} is [out, in] and the bytes are a row-major
   * [in, out] matrix.
   */
  public boolean transposed() {
    return transposed;
  }

  /**
   * A run of its elements as they are stored, as a vector.
   *
   * @param from first byte, counted from the beginning of the tensor
   */
  public TensorEntry part(long from, long size) {
    return new TensorEntry(
        name, type, new long[] {size / type.bytes()}, file, offset + from, size, false);
  }

  /**
   * Reads the tensor as little-endian, row-major bytes of its {@link #shape()}; a transposed entry
   * is turned round.
   *
   * @throws GraftException CORRUPT_CHECKPOINT if the file can no longer be read or was cut
   * @throws IllegalStateException if it is larger than one buffer may be (2 GiB)
   */
  public ByteBuffer read() {
    if (bytes > Integer.MAX_VALUE - 8) {
      throw new IllegalStateException(name + " has " + bytes + " bytes: map the file instead");
    }
    byte[] stored = new byte[(int) bytes];
    ByteBuffer rest = ByteBuffer.wrap(stored);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      read(channel, 0, rest);
    } catch (IOException e) {
      throw Corruption.unreadable(file, e);
    }
    ByteBuffer read = ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN);
    return transposed
        ? TensorData.transposed(read, (int) shape[1], (int) shape[0], type.bytes())
        : read;
  }

  /** Copies the stored bytes as they are. */
  public void transferTo(WritableByteChannel target) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (long done = 0; done < bytes; ) {
        long moved = channel.transferTo(offset + done, bytes - done, target);
        if (moved == 0 && channel.size() <= offset + done) {
          throw Corruption.of(file, name, "the file was cut while it was in use");
        }
        done += moved;
      }
    }
  }

  /**
   * Fills a buffer with stored bytes.
   *
   * @param from first byte, counted from the beginning of the tensor
   * @throws GraftException CORRUPT_CHECKPOINT if the file was cut
   */
  public void read(FileChannel channel, long from, ByteBuffer target) throws IOException {
    long start = offset + from - target.position();
    while (target.hasRemaining()) {
      if (channel.read(target, start + target.position()) < 0) {
        throw Corruption.of(file, name, "the file was cut while it was in use");
      }
    }
  }

  @Override
  public String toString() {
    return name + " " + type + Arrays.toString(shape) + (transposed ? " transposed" : "");
  }
}

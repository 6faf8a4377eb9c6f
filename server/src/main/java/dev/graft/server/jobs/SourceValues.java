package dev.graft.server.jobs;

import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/** A tensor's values, piece by piece. For one thread. */
interface SourceValues extends AutoCloseable {
  /** Values of a piece: enough for the disk, few enough for a cache. */
  int MOST_AT_ONCE = 1 << 16;

  /** Reads values in the order in which they are stored. */
  void read(long from, float[] target, int count) throws IOException;

  @Override
  void close() throws IOException;

  /** The values of an entry of floating-point type in the order of its shape, F64 in 32 bits. */
  static SourceValues stored(TensorEntry entry) throws IOException {
    if (entry.transposed()) {
      return inMemory(entry.type(), entry.read());
    }
    FileChannel channel = FileChannel.open(entry.file(), StandardOpenOption.READ);
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(MOST_AT_ONCE * entry.type().bytes())
            .order(ByteOrder.LITTLE_ENDIAN);
    return new SourceValues() {
      @Override
      public void read(long from, float[] target, int count) throws IOException {
        int size = entry.type().bytes();
        entry.read(channel, from * size, bytes.clear().limit(count * size));
        FloatValues.read(entry.type(), bytes.flip(), target, count);
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    };
  }

  private static SourceValues inMemory(StoredType type, ByteBuffer bytes) {
    return new SourceValues() {
      @Override
      public void read(long from, float[] target, int count) {
        int size = type.bytes();
        ByteBuffer piece = bytes.slice((int) from * size, count * size);
        FloatValues.read(type, piece.order(ByteOrder.LITTLE_ENDIAN), target, count);
      }

      @Override
      public void close() {}
    };
  }
}

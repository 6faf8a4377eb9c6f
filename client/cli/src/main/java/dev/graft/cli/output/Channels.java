package dev.graft.cli.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Positional writes that write everything. */
final class Channels {
  private Channels() {}

  static void writeFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
    while (bytes.hasRemaining()) {
      position += channel.write(bytes, position);
    }
  }

  static void transferFully(FileChannel from, long position, long count, FileChannel to)
      throws IOException {
    long done = 0;
    while (done < count) {
      long moved = from.transferTo(position + done, count - done, to);
      if (moved <= 0) {
        throw new IOException("cannot copy " + count + " bytes: the file ends early");
      }
      done += moved;
    }
  }
}

package dev.graft.server.jobs;

import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.quantizing.WeightQuantizer;
import java.io.IOException;
import java.nio.FloatBuffer;

/** The values of a tensor, each once, rounded to a type. For one thread. */
final class RoundedValues implements WeightQuantizer.Values {
  private final SourceValues source;
  private final long count;
  private final StoredType type;
  private final FloatBuffer unread;

  /** How many of the source were read. */
  private long read;

  /**
   * @param count how many there are
   */
  RoundedValues(SourceValues source, long count, StoredType type) {
    this.source = source;
    this.count = count;
    this.type = type;
    this.unread = FloatBuffer.allocate((int) Math.min(SourceValues.MOST_AT_ONCE, count)).limit(0);
  }

  @Override
  public void read(float[] target, int wanted) throws IOException {
    for (int done = 0; done < wanted; ) {
      if (!unread.hasRemaining()) {
        readPiece();
      }
      int size = Math.min(wanted - done, unread.remaining());
      unread.get(target, done, size);
      done += size;
    }
  }

  private void readPiece() throws IOException {
    int size = (int) Math.min(unread.capacity(), count - read);
    source.read(read, unread.array(), size);
    FloatValues.round(type, unread.array(), size);
    unread.clear().limit(size);
    read += size;
  }
}

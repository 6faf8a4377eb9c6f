package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.checkpoints.FloatValues;
import dev.graft.server.checkpoints.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * The blocks in their files. Where they do not all fit memory, a thread reads each one ahead of its
 * use, from its first byte to its last, so that what maps it finds its pages in memory: faults
 * would read them in small pieces and hold a lane up.
 */
final class StoredBlocks implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private final List<List<TensorEntry>> blocks;
  private final Map<Path, State> files = new HashMap<>();

  /** Null where all blocks fit memory. */
  private final ExecutorService reader;

  /** The reader's; null where there is none. */
  private final ByteBuffer buffer;

  /** Blocks that are being read, or have been and are not yet used. Guarded by this. */
  private final Map<Integer, CompletableFuture<Void>> ahead = new HashMap<>();

  /** What tells that a file is another one. */
  private record State(Object key, long bytes, long modifiedMillis) {
    static State of(Path file) {
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new State(
            attributes.fileKey(), attributes.size(), attributes.lastModifiedTime().toMillis());
      } catch (IOException e) {
        throw unreadable(file, e);
      }
    }
  }

  /**
   * @param readsAhead whether the files do not fit memory
   */
  StoredBlocks(Parameters parameters, boolean readsAhead) {
    this.blocks = parameters.blocks().stream().map(block -> inFileOrder(block)).toList();
    Stream.concat(Stream.of(inFileOrder(parameters.outside())), blocks.stream())
        .flatMap(List::stream)
        .forEach(entry -> files.computeIfAbsent(entry.file(), State::of));
    this.buffer = readsAhead ? ByteBuffer.allocateDirect(BUFFER_BYTES) : null;
    this.reader =
        readsAhead
            ? Executors.newSingleThreadExecutor(
                task -> {
                  Thread thread = new Thread(task, "graft-read-ahead");
                  thread.setDaemon(true);
                  return thread;
                })
            : null;
  }

  private static List<TensorEntry> inFileOrder(Map<String, Found> block) {
    return block.values().stream()
        .flatMap(found -> found.entries().stream())
        .sorted(Comparator.comparing(TensorEntry::file).thenComparing(TensorEntry::offset))
        .toList();
  }

  boolean fitMemory() {
    return reader == null;
  }

  /**
   * Returns when a block can be mapped and is in memory, and begins to read the next one.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT where a file has changed: blocks
   *     of two versions would make features of none
   */
  void take(int block) {
    blocks.get(block).stream().map(TensorEntry::file).distinct().forEach(this::checkUnchanged);
    if (reader == null) {
      return;
    }
    CompletableFuture<Void> read = readOnce(block);
    try {
      read.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /**
   * Rows of a table in 32-bit floats, one after the other: mapped, a table would take memory up to
   * its whole size, and few of its rows are needed at a time.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT where the file has changed
   */
  float[] rows(TensorEntry table, long[] numbers) {
    checkUnchanged(table.file());
    int size = Math.toIntExact(table.shape()[1]);
    float[] rows = new float[Math.multiplyExact(numbers.length, size)];
    float[] row = new float[size];
    ByteBuffer stored =
        ByteBuffer.allocate(size * table.type().bytes()).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(table.file(), StandardOpenOption.READ)) {
      for (int i = 0; i < numbers.length; i++) {
        table.read(channel, numbers[i] * stored.capacity(), stored.clear());
        FloatValues.read(table.type(), stored.flip(), row, size);
        System.arraycopy(row, 0, rows, i * size, size);
      }
    } catch (IOException e) {
      throw unreadable(table.file(), e);
    }
    return rows;
  }

  private void checkUnchanged(Path file) {
    if (!State.of(file).equals(files.get(file))) {
      throw GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT",
              file + " was changed while the backbone was in use. Call again to use it as it is.")
          .with("file", file);
    }
  }

  /** The reading of a block, with that of the next one behind it. */
  private synchronized CompletableFuture<Void> readOnce(int block) {
    CompletableFuture<Void> read = ahead.remove(block);
    if (read == null) {
      read = begin(block);
    }
    int next = block + 1;
    if (next < blocks.size() && !ahead.containsKey(next)) {
      ahead.put(next, begin(next));
    }
    return read;
  }

  private CompletableFuture<Void> begin(int block) {
    return CompletableFuture.runAsync(() -> read(blocks.get(block)), reader);
  }

  private void read(List<TensorEntry> entries) {
    for (TensorEntry entry : entries) {
      try (FileChannel channel = FileChannel.open(entry.file(), StandardOpenOption.READ)) {
        for (long done = 0; done < entry.bytes(); ) {
          buffer.clear().limit((int) Math.min(BUFFER_BYTES, entry.bytes() - done));
          int count = channel.read(buffer, entry.offset() + done);
          if (count < 0) {
            throw new IOException("the file was cut while it was in use");
          }
          done += count;
        }
      } catch (IOException e) {
        throw unreadable(entry.file(), e);
      }
    }
  }

  private static GraftException unreadable(Path file, IOException e) {
    return GraftException.failedPrecondition(
            "CORRUPT_CHECKPOINT", file + ": cannot be read: " + e.getMessage())
        .with("file", file)
        .causedBy(e);
  }

  @Override
  public void close() {
    if (reader != null) {
      reader.shutdownNow();
    }
  }
}

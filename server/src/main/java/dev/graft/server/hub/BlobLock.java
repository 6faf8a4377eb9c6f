package dev.graft.server.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Held by the one who fetches a blob. A file's lock excludes other processes and is let go of when
 * its process dies; within a process it would not exclude anyone, so there is another.
 */
final class BlobLock implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(BlobLock.class.getName());

  /** By the lock's path; never removed, as they are few and small. */
  private static final Map<Path, ReentrantLock> WITHIN_PROCESS = new ConcurrentHashMap<>();

  private final ReentrantLock withinProcess;
  private final FileChannel channel;

  private BlobLock(ReentrantLock withinProcess, FileChannel channel) {
    this.withinProcess = withinProcess;
    this.channel = channel;
  }

  /** Waits until nobody else holds it. */
  static BlobLock acquire(Path path) throws IOException, InterruptedException {
    ReentrantLock withinProcess =
        WITHIN_PROCESS.computeIfAbsent(path.toAbsolutePath().normalize(), p -> new ReentrantLock());
    withinProcess.lockInterruptibly();
    try {
      return new BlobLock(withinProcess, locked(path));
    } catch (IOException | RuntimeException | Error e) {
      withinProcess.unlock();
      throw e;
    }
  }

  private static FileChannel locked(Path path) throws IOException {
    Files.createDirectories(path.getParent());
    FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        LOG.log(System.Logger.Level.INFO, "Waiting for another process that fetches " + path);
        channel.lock();
      }
      return channel;
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  /** The file stays: were it removed, someone who waits for it would lock one that is not there. */
  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      withinProcess.unlock();
    }
  }
}

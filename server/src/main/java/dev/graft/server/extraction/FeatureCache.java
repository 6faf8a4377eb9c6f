package dev.graft.server.extraction;

import dev.graft.server.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Features of whole batches under their {@link BatchKey}, in memory and optionally on disk; both
 * bounded, the least recently used leaving first. What is lost, or damaged on disk, is computed
 * again.
 */
public final class FeatureCache {
  private static final System.Logger LOG = System.getLogger(FeatureCache.class.getName());
  private static final String SUFFIX = ".features";
  private static final String UNFINISHED = ".tmp";

  /** Nobody writes one file for so long: its writer is gone. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  private static final int DIGEST_BYTES = 32;

  private final long memoryLimitBytes;
  private final Path directory;
  private final long diskLimitBytes;

  /** In the order of use. Guarded by this. */
  private final Map<String, float[]> memory = new LinkedHashMap<>(16, 0.75f, true);

  /** Guarded by this. */
  private long memoryBytes;

  /** About what the files take; counted anew by each tidying, for others write there too. */
  private final AtomicLong diskBytes = new AtomicLong();

  /** Held while the directory is tidied, by one thread; the others go on meanwhile. */
  private final ReentrantLock tidying = new ReentrantLock();

  private FeatureCache(long memoryLimitBytes, Path directory, long diskLimitBytes) {
    this.memoryLimitBytes = memoryLimitBytes;
    this.directory = directory;
    this.diskLimitBytes = diskLimitBytes;
  }

  /** A cache in memory alone; with 0 bytes, none. */
  public static FeatureCache inMemory(long limitBytes) {
    return new FeatureCache(limitBytes, null, 0);
  }

  /** A cache in memory before one on disk, which later processes find again. */
  public static FeatureCache onDisk(long memoryLimitBytes, Path directory, long diskLimitBytes) {
    FeatureCache cache = new FeatureCache(memoryLimitBytes, directory, diskLimitBytes);
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("The cache directory cannot be made: " + directory, e);
    }
    cache.tidy();
    return cache;
  }

  Optional<float[]> find(String key) {
    synchronized (this) {
      float[] values = memory.get(key);
      if (values != null) {
        return Optional.of(values);
      }
    }
    if (directory == null) {
      return Optional.empty();
    }
    Optional<float[]> read = read(key);
    read.ifPresent(values -> remember(key, values));
    return read;
  }

  /** Stores a batch's features; the caller must not change them afterwards. */
  void put(String key, float[] values) {
    remember(key, values);
    if (directory != null) {
      write(key, values);
    }
  }

  private synchronized void remember(String key, float[] values) {
    long bytes = 4L * values.length;
    if (bytes > memoryLimitBytes || memory.put(key, values) != null) {
      return;
    }
    memoryBytes += bytes;
    Iterator<float[]> oldest = memory.values().iterator();
    while (memoryBytes > memoryLimitBytes) {
      memoryBytes -= 4L * oldest.next().length;
      oldest.remove();
    }
  }

  private Optional<float[]> read(String key) {
    Path file = directory.resolve(key + SUFFIX);
    try {
      byte[] bytes = Files.readAllBytes(file);
      if (bytes.length < DIGEST_BYTES
          || !Arrays.equals(digest(bytes), 0, DIGEST_BYTES, bytes, 0, DIGEST_BYTES)) {
        LOG.log(
            System.Logger.Level.WARNING,
            "Cached features are damaged and will be computed again: {0}",
            file);
        Files.deleteIfExists(file);
        return Optional.empty();
      }
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      float[] values = new float[(bytes.length - DIGEST_BYTES) / 4];
      ByteBuffer.wrap(bytes, DIGEST_BYTES, bytes.length - DIGEST_BYTES)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(values);
      return Optional.of(values);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "Cached features cannot be read: " + file, e);
      return Optional.empty();
    }
  }

  private void write(String key, float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(DIGEST_BYTES + 4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.position(DIGEST_BYTES).slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    System.arraycopy(digest(bytes.array()), 0, bytes.array(), 0, DIGEST_BYTES);
    try {
      Path temporary = Files.createTempFile(directory, key, UNFINISHED);
      try {
        Files.write(temporary, bytes.array());
        Files.move(
            temporary,
            directory.resolve(key + SUFFIX),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(temporary); // it is there only when the above failed
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "Features cannot be cached in " + directory, e);
      return;
    }
    if (diskBytes.addAndGet(bytes.capacity()) > diskLimitBytes) {
      tidy();
    }
  }

  /**
   * Counts what is there, and deletes what was never finished and then the oldest files until nine
   * tenths of the limit are left.
   */
  private void tidy() {
    if (!tidying.tryLock()) {
      return;
    }
    try {
      long now = System.currentTimeMillis();
      long bytes = 0;
      List<CachedFile> files = new ArrayList<>();
      for (CachedFile file : list()) {
        if (file.finished()) {
          files.add(file);
          bytes += file.bytes();
        } else if (now - file.used().toMillis() > ABANDONED.toMillis()) {
          Files.deleteIfExists(file.path());
        }
      }
      files.sort(Comparator.comparing(CachedFile::used));
      for (CachedFile file : files) {
        if (bytes <= diskLimitBytes / 10 * 9) {
          break;
        }
        Files.deleteIfExists(file.path());
        bytes -= file.bytes();
      }
      diskBytes.set(bytes);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "The feature cache cannot be tidied: " + directory, e);
    } finally {
      tidying.unlock();
    }
  }

  private List<CachedFile> list() throws IOException {
    List<CachedFile> files = new ArrayList<>();
    try (DirectoryStream<Path> listing =
        Files.newDirectoryStream(directory, "*{" + SUFFIX + "," + UNFINISHED + "}")) {
      for (Path path : listing) {
        try {
          files.add(new CachedFile(path, Files.size(path), Files.getLastModifiedTime(path)));
        } catch (NoSuchFileException e) {
          // Another process that shares the directory was faster.
          LOG.log(System.Logger.Level.DEBUG, "Already deleted: {0}", path);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return files;
  }

  private record CachedFile(Path path, long bytes, FileTime used) {
    boolean finished() {
      return path.toString().endsWith(SUFFIX);
    }
  }

  /** Digest of a cached file's values, which follow its first {@link #DIGEST_BYTES} bytes. */
  private static byte[] digest(byte[] file) {
    MessageDigest digest = Sha256.start();
    digest.update(file, DIGEST_BYTES, file.length - DIGEST_BYTES);
    return digest.digest();
  }
}

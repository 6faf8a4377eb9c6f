package dev.graft.server.extraction;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureCacheTest {
  private static final float[] VALUES = {1, -2.5f, Float.MIN_VALUE, 3e38f};

  @TempDir private Path directory;

  @Test
  void theLeastRecentlyUsedLeavesMemoryFirst() {
    FeatureCache cache = FeatureCache.inMemory(3 * 16);
    cache.put("a", VALUES.clone());
    cache.put("b", VALUES.clone());
    cache.put("c", VALUES.clone());
    assertThat(cache.find("a")).isPresent();
    cache.put("d", VALUES.clone());
    assertThat(cache.find("a")).isPresent();
    assertThat(cache.find("b")).isEmpty();
    assertThat(cache.find("c")).isPresent();
  }

  @Test
  void whatIsLargerThanTheLimitIsNotKept() {
    FeatureCache cache = FeatureCache.inMemory(15);
    cache.put("a", VALUES.clone());
    assertThat(cache.find("a")).isEmpty();
  }

  @Test
  void aLaterProcessFindsTheSameBytes() {
    FeatureCache.onDisk(0, directory, 1 << 20).put("a", VALUES.clone());
    assertThat(FeatureCache.onDisk(0, directory, 1 << 20).find("a").orElseThrow())
        .isEqualTo(VALUES);
  }

  @Test
  void damagedFilesAreComputedAgain() throws Exception {
    FeatureCache.onDisk(0, directory, 1 << 20).put("a", VALUES.clone());
    Path file = onlyFile();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    assertThat(FeatureCache.onDisk(0, directory, 1 << 20).find("a")).isEmpty();
    Files.write(file, new byte[3]);
    assertThat(FeatureCache.onDisk(0, directory, 1 << 20).find("a")).isEmpty();
  }

  @Test
  void theDiskIsBounded() throws Exception {
    FeatureCache cache = FeatureCache.onDisk(0, directory, 10 * 48);
    for (int i = 0; i < 40; i++) {
      cache.put("key" + i, VALUES.clone());
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.count()).isBetween(1L, 10L);
    }
  }

  @Test
  void abandonedFilesAreDeletedAndYoungOnesLeft() throws Exception {
    Path old = Files.createFile(directory.resolve("old.tmp"));
    Path young = Files.createFile(directory.resolve("young.tmp"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    FeatureCache.onDisk(0, directory, 1 << 20);
    assertThat(old).doesNotExist();
    assertThat(young).exists();
  }

  @Test
  void aFailedWriteLeavesNothing() throws Exception {
    FeatureCache cache = FeatureCache.onDisk(0, directory, 1 << 20);
    // A directory that is not empty cannot be replaced by a file.
    Path inTheWay = directory.resolve("a.features");
    Files.createDirectories(inTheWay.resolve("inner"));
    cache.put("a", VALUES.clone());
    assertThat(onlyFile()).isEqualTo(inTheWay);
  }

  @Test
  void severalProcessesTidyAtTheSameTime() throws Exception {
    List<CompletableFuture<Void>> writers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      FeatureCache cache = FeatureCache.onDisk(0, directory, 10 * 48);
      String prefix = "writer" + i + "-";
      writers.add(
          CompletableFuture.runAsync(
              () -> {
                for (int j = 0; j < 50; j++) {
                  cache.put(prefix + j, VALUES.clone());
                }
              }));
    }
    writers.forEach(CompletableFuture::join);
    FeatureCache.onDisk(0, directory, 10 * 48);
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).hasSizeLessThanOrEqualTo(10);
    }
  }

  private Path onlyFile() throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> list = files.toList();
      assertThat(list).hasSize(1);
      return list.get(0);
    }
  }
}

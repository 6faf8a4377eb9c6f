package dev.graft.server.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

final class NativeHeapTest {
  private static final int MEBIBYTE_FLOATS = 1 << 18;

  @Test
  @EnabledOnOs(OS.LINUX)
  void whatIsLargeGoesBackToTheSystemWhenItIsFreed() throws IOException {
    NativeHeap.returnLargeBlocks();
    // glibc by itself would learn from this one to keep what is as large
    try (Scope scope = Scope.open(TorchDevice.CPU)) {
      scope.floats(new float[10 * MEBIBYTE_FLOATS], 10 * MEBIBYTE_FLOATS);
    }
    long kilobytes = returnedBelowWhatIsKept(5 * MEBIBYTE_FLOATS, 20, () -> {});
    assertThat(kilobytes).isGreaterThan(50 << 10);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whatIsSmallGoesBackWhenAllThatIsFreedDoes() throws IOException {
    NativeHeap.returnLargeBlocks();
    assertThat(returnedBelowWhatIsKept(MEBIBYTE_FLOATS, 100, NativeHeap::returnFreed))
        .isGreaterThan(50 << 10);
  }

  /** By how much the process shrinks when tensors are freed, but for the last. */
  private static long returnedBelowWhatIsKept(int floats, int tensors, Runnable afterwards)
      throws IOException {
    float[] values = new float[floats];
    List<Scope> freed = new ArrayList<>();
    for (int i = 0; i < tensors; i++) {
      Scope scope = Scope.open(TorchDevice.CPU);
      scope.floats(values, floats);
      freed.add(scope);
    }
    try (Scope kept = Scope.open(TorchDevice.CPU)) {
      kept.floats(values, floats);
      long before = residentKilobytes();
      freed.forEach(Scope::close);
      afterwards.run();
      return before - residentKilobytes();
    }
  }

  @Test
  void productsThatAreKeptTakeASixteenthOfTheMemory() {
    assertThat(NativeHeap.products(460L << 20)).isEqualTo(128);
    assertThat(NativeHeap.products(1L << 30)).isEqualTo(256);
    assertThat(NativeHeap.products(64L << 30)).isEqualTo(1024);
  }

  private static long residentKilobytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("RssAnon:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}

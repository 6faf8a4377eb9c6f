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
  private static final int ROWS = 5000;
  private static final int COLUMNS = 256;
  private static final int TENSORS = 20;

  @Test
  @EnabledOnOs(OS.LINUX)
  void whatIsFreedBelowWhatIsKeptGoesBackToTheSystem() throws IOException {
    NativeHeap.returnLargeBlocks();
    float[] values = new float[2 * ROWS * COLUMNS];
    // glibc by itself would learn from this one to keep what is as large
    try (Scope scope = Scope.open(TorchDevice.CPU)) {
      scope.floats(values, 2 * ROWS, COLUMNS);
    }
    float[] large = new float[ROWS * COLUMNS];
    List<Scope> freed = new ArrayList<>();
    for (int i = 0; i < TENSORS; i++) {
      Scope scope = Scope.open(TorchDevice.CPU);
      scope.floats(large, ROWS, COLUMNS);
      freed.add(scope);
    }
    try (Scope kept = Scope.open(TorchDevice.CPU)) {
      kept.floats(large, ROWS, COLUMNS);
      long before = residentKilobytes();
      freed.forEach(Scope::close);
      assertThat(before - residentKilobytes()).isGreaterThan(TENSORS * 5000 / 2);
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

package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.LibUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A libtorch that {@code PYTORCH_LIBRARY_PATH} names. */
class InstalledLibtorchTest {
  @TempDir private Path directory;

  /** JUnit warns of links that lead out of its directory. */
  @AfterEach
  void unlink() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path link : files.filter(Files::isSymbolicLink).toList()) {
        Files.delete(link);
      }
    }
  }

  @Test
  void isComputedWith() throws Exception {
    install("2.7.1+cpu");
    try (GraftProcess describe = describe()) {
      assertThat(describe.succeeds().said()).contains("device: cpu");
    }
  }

  @Test
  void withoutGpuCudaIsRefused() throws Exception {
    install("2.7.1+cpu");
    try (GraftProcess describe = describe("--device", "cuda:0")) {
      assertThat(describe.fails().said())
          .contains("Device cuda:0 cannot be used", "PYTORCH_LIBRARY_PATH", "--device cpu");
    }
  }

  @Test
  void ofAnotherVersionNeedsALayerOfItsOwn() throws Exception {
    install("2.3.4+cpu");
    try (GraftProcess describe = describe()) {
      assertThat(describe.fails().said())
          .contains("PYTORCH_LIBRARY_PATH=" + libraries(), "JNI layer", "docs/gpu.md");
    }
  }

  @Test
  void thatIsNotThereIsAnError() throws Exception {
    try (GraftProcess describe = describe()) {
      assertThat(describe.fails().said())
          .contains("PYTORCH_LIBRARY_PATH=" + libraries(), "there is none");
    }
  }

  private Path libraries() {
    return directory.resolve("lib");
  }

  private GraftProcess describe(String... options) throws IOException {
    return GraftProcess.start(
        directory,
        Map.of("PYTORCH_LIBRARY_PATH", libraries().toString()),
        Stream.concat(Stream.of("describe"), Stream.of(options)).toArray(String[]::new));
  }

  /** The libraries of this process, where another version may be said of them. */
  private void install(String version) throws IOException {
    Engine.getEngine("PyTorch");
    Files.createDirectory(libraries());
    try (Stream<Path> files = Files.list(Path.of(LibUtils.getLibtorchPath()))) {
      List<Path> torch =
          files.filter(file -> !file.getFileName().toString().contains("djl_torch")).toList();
      for (Path file : torch) {
        Files.createSymbolicLink(libraries().resolve(file.getFileName()), file);
      }
    }
    Files.writeString(directory.resolve("build-version"), version);
  }
}

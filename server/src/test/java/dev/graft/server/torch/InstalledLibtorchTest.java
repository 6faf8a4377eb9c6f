package dev.graft.server.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstalledLibtorchTest {
  @TempDir private Path root;
  private Path libraries;

  @BeforeEach
  void makeFolder() throws Exception {
    libraries = Files.createDirectory(root.resolve("lib"));
    Files.createFile(libraries.resolve("libtorch.so"));
  }

  @Test
  void aLibtorchSaysItsVersionInAFile() throws Exception {
    Files.writeString(root.resolve("build-version"), "2.7.1+cu126\n");
    Files.createFile(libraries.resolve("libtorch_cuda.so"));
    assertThat(InstalledLibtorch.in(libraries.toString()))
        .contains(new InstalledLibtorch("2.7.1", true));
  }

  @Test
  void aPythonPackageSaysItInItsSource() throws Exception {
    Files.writeString(
        root.resolve("version.py"),
        """
        from typing import Optional

        __all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'rocm', 'xpu']
        __version__ = '2.11.0+cpu'
        """);
    assertThat(InstalledLibtorch.in(libraries.toString()))
        .contains(new InstalledLibtorch("2.11.0", false));
  }

  @Test
  void theFirstOfSeveralFoldersThatHasItIsTaken() throws Exception {
    Files.writeString(root.resolve("build-version"), "2.7.1+cpu");
    Path empty = Files.createDirectories(root.resolve("other").resolve("lib"));
    assertThat(InstalledLibtorch.in(empty + File.pathSeparator + libraries))
        .contains(new InstalledLibtorch("2.7.1", false));
    assertThat(InstalledLibtorch.folder(empty.toString())).isEmpty();
  }

  @Test
  void otherFoldersSayNothing() {
    assertThat(InstalledLibtorch.in(libraries.toString())).isEmpty();
  }
}

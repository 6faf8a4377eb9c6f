package dev.graft.cli.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackboneCopyTest {
  @TempDir private Path directory;
  private Path backbone;
  private Path copy;

  @BeforeEach
  void makeBackbone() throws IOException {
    backbone = Files.createDirectory(directory.resolve("backbone"));
    copy = directory.resolve("copy");
  }

  @Test
  void takesWhatTheBackboneIsReadFrom() throws IOException {
    has("model.safetensors", "config.json", "vocab.txt", "pytorch_model.bin", "other.gguf");

    BackboneCopy.make(backbone, copy);

    assertThat(copied()).containsExactly("config.json", "model.safetensors", "vocab.txt");
  }

  @Test
  void takesTheGgufFileOfADirectoryWithoutOtherWeights() throws IOException {
    has("model.gguf", "config.json");

    BackboneCopy.make(backbone, copy);

    assertThat(copied()).containsExactly("config.json", "model.gguf");
  }

  @Test
  void takesOneFileAlone() throws IOException {
    has("one.gguf", "two.gguf", "config.json");

    BackboneCopy.make(backbone.resolve("two.gguf"), copy);

    assertThat(copied()).containsExactly("two.gguf");
    assertThat(copy.resolve("two.gguf")).hasContent("two.gguf");
  }

  @Test
  void nothingOfAnEarlierCopyStays() throws IOException {
    has("one.gguf", "model.safetensors");
    BackboneCopy.make(backbone.resolve("one.gguf"), copy);
    BackboneCopy.make(backbone, copy);
    assertThat(copied()).containsExactly("model.safetensors");

    BackboneCopy.make(backbone.resolve("one.gguf"), copy);
    assertThat(copied()).containsExactly("one.gguf");
  }

  private void has(String... names) throws IOException {
    for (String name : names) {
      Files.writeString(backbone.resolve(name), name);
    }
  }

  private List<String> copied() throws IOException {
    try (Stream<Path> files = Files.list(copy)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}

package dev.graft.cli.bundle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** Copies a backbone's files into a bundle: weights, configuration and tokenizer; never pickles. */
final class BackboneCopy {
  private static final String GGUF = ".gguf";

  /** Weights that a worker takes rather than a GGUF file beside them. */
  private static final List<String> PREFERRED = List.of(".safetensors", ".onnx");

  private static final List<String> TEXTS = List.of(".json", ".txt", ".model");

  private BackboneCopy() {}

  /**
   * An earlier copy's files are replaced.
   *
   * @param backbone a directory or a GGUF file
   */
  static void make(Path backbone, Path copy) throws IOException {
    Files.createDirectories(copy);
    for (Path file : files(copy)) {
      Files.delete(file);
    }
    boolean isFile = Files.isRegularFile(backbone);
    Path directory = isFile ? backbone.getParent() : backbone;
    for (Path file : isFile ? List.of(backbone) : used(files(backbone))) {
      Path target = copy.resolve(directory.relativize(file).toString());
      Files.createDirectories(target.getParent());
      Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING); // follows links
    }
  }

  /** All but GGUF files that the backbone is not read from. */
  private static List<Path> used(List<Path> files) {
    boolean preferred = files.stream().anyMatch(file -> endsWith(file, PREFERRED));
    return preferred
        ? files.stream().filter(file -> !endsWith(file, List.of(GGUF))).toList()
        : files;
  }

  /** Those of the directory and of its {@code onnx} directory. */
  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory, 2)) {
      return files
          .filter(Files::isRegularFile)
          .filter(
              file ->
                  file.getParent().equals(directory)
                      || file.getParent().equals(directory.resolve("onnx")))
          .filter(
              file ->
                  endsWith(file, PREFERRED)
                      || endsWith(file, TEXTS)
                      || endsWith(file, List.of(GGUF)))
          .toList();
    }
  }

  private static boolean endsWith(Path file, List<String> extensions) {
    return extensions.stream().anyMatch(file.getFileName().toString()::endsWith);
  }
}

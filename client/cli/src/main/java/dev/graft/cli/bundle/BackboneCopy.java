package dev.graft.cli.bundle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** Copies a backbone's files into a bundle: weights, configuration and tokenizer; never pickles. */
final class BackboneCopy {
  private static final List<String> EXTENSIONS =
      List.of(".safetensors", ".onnx", ".json", ".txt", ".model");

  private BackboneCopy() {}

  /** An earlier copy's files are replaced. */
  static void make(Path backbone, Path copy) throws IOException {
    Files.createDirectories(copy);
    deleteFiles(copy);
    for (Path file : files(backbone)) {
      Path target = copy.resolve(backbone.relativize(file).toString());
      Files.createDirectories(target.getParent());
      Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING); // follows links
    }
  }

  private static void deleteFiles(Path copy) throws IOException {
    for (Path file : files(copy)) {
      Files.delete(file);
    }
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
          .filter(file -> EXTENSIONS.stream().anyMatch(file.getFileName().toString()::endsWith))
          .toList();
    }
  }
}

package dev.graft.server.torch;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a folder of libraries is: DJL takes it for the libtorch that it was built with unless it is
 * told otherwise.
 *
 * @param version such as "2.7.1"
 * @param cuda whether it has kernels for GPUs
 */
record InstalledLibtorch(String version, boolean cuda) {
  /** Of a libtorch, {@code build-version} has the version alone; of a Python package, a line. */
  private static final Pattern VERSION =
      Pattern.compile("^(?:__version__ = ')?(\\d+\\.\\d+\\.\\d+)", Pattern.MULTILINE);

  /**
   * What {@code PYTORCH_LIBRARY_PATH} names: {@code lib} of libtorch or of the Python package
   * {@code torch}, or several folders. Empty where libtorch is in none or does not say its version.
   */
  static Optional<InstalledLibtorch> in(String path) {
    return folder(path)
        .flatMap(
            libraries ->
                Stream.of("build-version", "version.py")
                    .map(libraries.toAbsolutePath().normalize().getParent()::resolve)
                    .filter(Files::exists)
                    .map(InstalledLibtorch::version)
                    .flatMap(Optional::stream)
                    .findFirst()
                    .map(version -> new InstalledLibtorch(version, has(libraries, "torch_cuda"))));
  }

  /** The folder that has libtorch. */
  static Optional<Path> folder(String path) {
    return Arrays.stream(path.split(File.pathSeparator))
        .map(Path::of)
        .filter(folder -> has(folder, "torch"))
        .findFirst();
  }

  private static boolean has(Path folder, String library) {
    return Files.exists(folder.resolve(System.mapLibraryName(library)));
  }

  private static Optional<String> version(Path file) {
    try {
      Matcher matcher = VERSION.matcher(Files.readString(file));
      return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

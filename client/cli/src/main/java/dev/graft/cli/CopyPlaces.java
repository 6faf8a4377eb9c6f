package dev.graft.cli;

import dev.graft.cli.bundle.EnumNames;
import dev.graft.cli.output.Directories;
import dev.graft.cli.output.PartialDirectory;
import dev.graft.v1.QuantizationScheme;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Where quantized copies go. */
final class CopyPlaces implements Closeable {
  private enum Kind {
    /** The directory is the copy. */
    ONE,
    /** The directory has one for each scheme, under the scheme's name. */
    SEVERAL,
    /** The same, and nothing of it stays. */
    TEMPORARY
  }

  private final Kind kind;
  private final Path directory;

  private CopyPlaces(Kind kind, Path directory) {
    this.kind = kind;
    this.directory = directory;
  }

  /** A new directory for a copy; for several it is made, and has one for each scheme. */
  static CopyPlaces at(Path output, int copies) throws IOException {
    Path directory = PartialDirectory.requireNew(output);
    return copies == 1
        ? new CopyPlaces(Kind.ONE, directory)
        : new CopyPlaces(Kind.SEVERAL, Files.createDirectory(directory));
  }

  /** A directory that vanishes at the end. */
  static CopyPlaces temporary() throws IOException {
    return new CopyPlaces(Kind.TEMPORARY, Files.createTempDirectory("graft-quantize-"));
  }

  /** The directory in which the copies are made. */
  Path parent() {
    return kind == Kind.ONE ? directory.getParent() : directory;
  }

  /** The directory that a copy becomes. */
  Path of(QuantizationScheme scheme) {
    return kind == Kind.ONE
        ? directory
        : directory.resolve(EnumNames.name(scheme.getValueDescriptor()));
  }

  /** A copy is no longer read here. */
  void release(QuantizationScheme scheme) throws IOException {
    if (kind == Kind.TEMPORARY) {
      Directories.delete(of(scheme));
    }
  }

  /** Nothing stays that holds no copy. */
  @Override
  public void close() throws IOException {
    if (kind == Kind.TEMPORARY || (kind == Kind.SEVERAL && isEmpty(directory))) {
      Directories.delete(directory);
    }
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    }
  }
}

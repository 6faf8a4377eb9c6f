package dev.graft.cli.bundle;

import com.google.protobuf.ByteString;
import dev.graft.cli.output.PartialFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The directory {@code checkpoints}, with a file {@code checkpoint-STEP.safetensors} for each. */
public final class Checkpoints {
  private static final Pattern NAME = Pattern.compile("checkpoint-([0-9]{1,18})\\.safetensors");

  /** A checkpoint's file. */
  public record Saved(long step, Path file) {}

  private final Path directory;

  private Checkpoints(Path directory) {
    this.directory = directory;
  }

  /** The checkpoints of a bundle, whether it has some or not. */
  public static Checkpoints of(Path bundle) {
    return new Checkpoints(bundle.resolve("checkpoints"));
  }

  /** Keeps a checkpoint. */
  Saved save(long step, ByteString content) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve("checkpoint-" + step + ".safetensors");
    PartialFile.write(file, content.toByteArray());
    return new Saved(step, file);
  }

  /** The one with most steps. */
  public Optional<Saved> latest() throws IOException {
    return all().stream().max(Comparator.comparingLong(Saved::step));
  }

  /** All that are there. */
  List<Saved> all() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.flatMap(file -> parse(file).stream()).toList();
    }
  }

  private static Optional<Saved> parse(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    return name.matches()
        ? Optional.of(new Saved(Long.parseLong(name.group(1)), file))
        : Optional.empty();
  }
}

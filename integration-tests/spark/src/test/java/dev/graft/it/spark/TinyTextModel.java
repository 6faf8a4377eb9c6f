package dev.graft.it.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A tiny Llama with random weights, and a tokenizer for the words {@code w0} to {@code w98}. */
final class TinyTextModel {
  static final String NAME = "tiny";
  private static final Path WEIGHTS =
      Path.of("..", "..", "server", "src", "test", "resources", "golden", "llama_base");

  private TinyTextModel() {}

  /** Makes {@code root} a model root with the model in it. */
  static void write(Path root) throws IOException {
    Path directory = Files.createDirectory(root.resolve(NAME));
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(WEIGHTS.resolve(file), directory.resolve(file));
    }
    String vocabulary =
        IntStream.range(0, 99)
            .mapToObj(id -> "\"w%d\": %d".formatted(id, id))
            .collect(Collectors.joining(", "));
    Files.writeString(
        directory.resolve("tokenizer.json"),
        """
        {
          "version": "1.0",
          "truncation": null,
          "padding": null,
          "added_tokens": [],
          "normalizer": null,
          "pre_tokenizer": {"type": "WhitespaceSplit"},
          "post_processor": null,
          "decoder": null,
          "model": {"type": "WordLevel", "vocab": {%s}, "unk_token": "w0"}
        }
        """
            .formatted(vocabulary));
  }
}

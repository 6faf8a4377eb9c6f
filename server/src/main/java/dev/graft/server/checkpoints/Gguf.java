package dev.graft.server.checkpoints;

import java.nio.file.Path;
import java.util.Map;

/**
 * A GGUF file, version 2 or 3: what it says of the model, and where its tensors lie. Reading takes
 * its header only. (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)
 *
 * @param tensors by name, in the order of the file
 */
public record Gguf(Path file, GgufMetadata metadata, Map<String, GgufTensor> tensors) {
  /** The end of such files' names. */
  static final String SUFFIX = ".gguf";

  /**
   * Reads a file's header.
   *
   * @throws dev.graft.server.GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT naming file and
   *     tensor, UNSUPPORTED_FORMAT for other versions, byte orders and parts of split files,
   *     UNSUPPORTED_OPTION for types that are not read
   */
  public static Gguf open(Path file) {
    try (FileWindow bytes = new FileWindow(file)) {
      return new GgufReader(bytes).read();
    }
  }
}

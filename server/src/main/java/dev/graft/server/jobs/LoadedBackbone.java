package dev.graft.server.jobs;

import dev.graft.server.backbones.Backbone;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.extraction.TextTokenizer;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A backbone in memory with what belongs to it.
 *
 * @param directory its real path
 * @param tokenizer empty when there is no {@code tokenizer.json}, or none that is understood
 * @param tokenizerDigest SHA-256 of that file, hexadecimal; empty without it
 */
public record LoadedBackbone(
    Path directory,
    Checkpoint checkpoint,
    Backbone backbone,
    Optional<TextTokenizer> tokenizer,
    String tokenizerDigest) {
  void close() {
    tokenizer.ifPresent(TextTokenizer::close);
    backbone.close();
  }
}

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
 * @param tokenizer empty when the directory has no {@code tokenizer.json}
 */
public record LoadedBackbone(
    Path directory, Checkpoint checkpoint, Backbone backbone, Optional<TextTokenizer> tokenizer) {
  void close() {
    tokenizer.ifPresent(TextTokenizer::close);
    backbone.close();
  }
}

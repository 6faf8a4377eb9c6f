package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.Sha256;
import dev.graft.server.backbones.Backbones;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.extraction.TextTokenizer;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.TorchDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** Brings a backbone and its tokenizer into memory. */
@FunctionalInterface
interface BackboneLoader {
  LoadedBackbone load(Path directory);

  /**
   * The loader of real checkpoints.
   *
   * @param weightsMemoryBytes most memory for one backbone's weights
   */
  static BackboneLoader of(
      ModelRoots roots, TorchDevice device, Kernels kernels, long weightsMemoryBytes) {
    return directory -> {
      Checkpoint checkpoint = Checkpoint.open(directory, roots);
      Optional<String> tokenizerText = tokenizerText(checkpoint);
      String tokenizerDigest =
          tokenizerText
              .map(text -> Sha256.hex(text.getBytes(StandardCharsets.UTF_8)))
              .or(() -> checkpoint.tokenizer().map(BackboneLoader::digest))
              .orElse("");
      Optional<TextTokenizer> tokenizer =
          tokenizerText
              .map(text -> TextTokenizer.of(text, directory))
              .or(() -> checkpoint.tokenizer().map(TextTokenizer::open));
      try {
        return new LoadedBackbone(
            directory,
            checkpoint,
            Backbones.load(checkpoint, device, kernels, weightsMemoryBytes),
            tokenizer,
            tokenizerDigest);
      } catch (RuntimeException | Error e) { // whatever it is, the tokenizer must go
        tokenizer.ifPresent(TextTokenizer::close);
        throw e;
      }
    };
  }

  /** A tokenizer that is not understood is none: token ids need none, and texts are refused. */
  private static Optional<String> tokenizerText(Checkpoint checkpoint) {
    try {
      return checkpoint.tokenizerText();
    } catch (GraftException e) {
      if (e.reason().equals("UNSUPPORTED_OPTION")) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static String digest(Path tokenizer) {
    try {
      return Sha256.hex(tokenizer);
    } catch (IOException e) {
      throw GraftException.failedPrecondition(
              "CORRUPT_CHECKPOINT", tokenizer + " cannot be read: " + e.getMessage())
          .with("file", tokenizer)
          .causedBy(e);
    }
  }
}

package dev.graft.server.jobs;

import dev.graft.server.Sha256;
import dev.graft.server.extraction.FeatureSpec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;

/**
 * Tells what items are made of and how their features are computed, so that a checkpoint goes on
 * only with the features that it began with.
 */
final class ContentDigest {
  private final byte[] context;

  /**
   * @param context what besides the items decides the bytes of their features
   */
  ContentDigest(List<String> context) {
    MessageDigest digest = Sha256.start();
    context.forEach(part -> update(digest, 0, utf8(part)));
    this.context = digest.digest();
  }

  /** For features from a worker and a backbone, or for ready ones where there is none. */
  static ContentDigest of(WorkerResources worker, Featurizer featurizer) {
    if (featurizer.backbone().isEmpty()) {
      return new ContentDigest(List.of());
    }
    LoadedBackbone loaded = featurizer.backbone().get();
    FeatureSpec spec = featurizer.spec().orElseThrow();
    return new ContentDigest(
        List.of(
            loaded.backbone().info().digest(),
            loaded.tokenizerDigest(),
            spec.toString(),
            loaded.backbone().programText(spec.computeDtype()),
            worker.pooler().text(),
            worker.device().isCuda() ? "cuda" : "cpu",
            // Batches are cut by it, and features differ in their last bits between batches.
            Integer.toString(worker.tokensPerBatch())));
  }

  byte[] of(TrainItem item) {
    MessageDigest digest = Sha256.start();
    digest.update(context);
    update(digest, item.content());
    item.pair().ifPresent(pair -> update(digest, pair));
    return digest.digest();
  }

  private static void update(MessageDigest digest, Content content) {
    if (content instanceof Content.Text text) {
      update(digest, 0, utf8(text.text()));
    } else if (content instanceof Content.TokenIds tokens) {
      update(digest, 1, ints(tokens.ids()));
      Optional.ofNullable(tokens.typeIds()).ifPresent(types -> update(digest, 2, ints(types)));
    } else if (content instanceof Content.Features features) {
      ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * features.values().length);
      bytes.asFloatBuffer().put(features.values());
      update(digest, 3, bytes);
    } else {
      throw new AssertionError("Unknown content " + content);
    }
  }

  private static ByteBuffer utf8(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static ByteBuffer ints(int[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * values.length);
    bytes.asIntBuffer().put(values);
    return bytes;
  }

  /** Kind and length first, so that no two sequences give the same bytes. */
  private static void update(MessageDigest digest, int kind, ByteBuffer bytes) {
    digest.update(ByteBuffer.allocate(8).putInt(kind).putInt(bytes.remaining()).flip());
    digest.update(bytes);
  }
}

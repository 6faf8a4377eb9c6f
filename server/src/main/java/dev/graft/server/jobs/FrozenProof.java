package dev.graft.server.jobs;

import dev.graft.server.GraftException;

/** Shows that a backbone's files are what they were when it was loaded. */
final class FrozenProof {
  private FrozenProof() {}

  /**
   * Reads all files again, which may take a while.
   *
   * @return the digest, which is the same as at the start
   * @throws GraftException DATA_LOSS (BACKBONE_CHANGED)
   */
  static String of(LoadedBackbone loaded) {
    String before = loaded.backbone().info().digest();
    String after;
    try {
      after = loaded.checkpoint().digest();
    } catch (RuntimeException e) {
      throw changed("they cannot be read any more: " + e.getMessage())
          .with("digest_before", before)
          .causedBy(e);
    }
    if (!after.equals(before)) {
      throw changed("their digest was " + before + " and is " + after + " now")
          .with("digest_before", before)
          .with("digest_after", after);
    }
    return after;
  }

  private static GraftException changed(String how) {
    return GraftException.of(
        GraftException.Category.DATA_LOSS,
        "BACKBONE_CHANGED",
        "The backbone's files changed while the projector trained: "
            + how
            + ". The projector is not sent; train it again.");
  }
}

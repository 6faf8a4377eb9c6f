package dev.graft.cli;

import dev.graft.cli.progress.Progress;
import dev.graft.server.hub.Hub;
import dev.graft.server.hub.HubReference;
import dev.graft.server.hub.HubSettings;
import java.nio.file.Path;

/**
 * A backbone whose files go into a bundle.
 *
 * @param path what the worker is told
 * @param files its directory, or its GGUF file
 */
record IncludedBackbone(String path, Path files) {
  /** Where snapshots lie in the cache: {@code models--organization--name/snapshots/COMMIT}. */
  private static final int COMMIT = 2;

  /**
   * A backbone that lies here, or one on a hub, which is fetched. The worker is told the commit
   * that was fetched, so that it computes on what is copied.
   *
   * @param backbone as {@link ConnectionOptions#backbonePath} gives it
   */
  static IncludedBackbone of(String backbone, Surroundings surroundings) {
    if (!HubReference.isReference(backbone)) {
      return new IncludedBackbone(backbone, Path.of(backbone));
    }
    HubReference reference = HubReference.parse(backbone);
    Hub hub = new Hub(HubSettings.of(System.getenv()));
    Path cache = hub.cache();
    Path fetched = fetch(hub, reference, surroundings);
    String commit = cache.relativize(fetched).getName(COMMIT).toString();
    HubReference pinned = new HubReference(reference.repository(), commit, reference.file());
    return new IncludedBackbone(pinned.toString(), fetched);
  }

  @SuppressWarnings("try") // the registration is held open, not used
  private static Path fetch(Hub hub, HubReference reference, Surroundings surroundings) {
    try (Progress progress = surroundings.progress();
        Interruption.Registration cancel =
            surroundings.interruption().onInterrupt(Thread.currentThread()::interrupt)) {
      progress.status("asking for " + reference);
      return hub.fetch(
          reference,
          at ->
              progress.update(
                  "fetching " + reference, "bytes", at.bytes(), at.totalBytes(), at.file()));
    }
  }
}

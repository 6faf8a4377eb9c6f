package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.hub.Hub;
import dev.graft.server.hub.HubProgress;
import dev.graft.server.hub.HubReference;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where backbones are: under the model roots, or on a hub, from which they are fetched.
 *
 * @param roots the hub's cache among them, if there is a hub
 * @param hub empty where nothing may be fetched
 */
public record BackbonePlaces(ModelRoots roots, Optional<Hub> hub) {
  private static final System.Logger LOG = System.getLogger(BackbonePlaces.class.getName());

  /** The model roots alone. */
  public static BackbonePlaces of(ModelRoots roots) {
    return new BackbonePlaces(roots, Optional.empty());
  }

  /**
   * Finds a backbone. One on a hub is fetched first, which may take long.
   *
   * @param path as in the contract's {@code Backbone.path}
   * @return its directory or file, links resolved
   * @throws GraftException PERMISSION_DENIED HUB_DISABLED, and those of {@link ModelRoots#resolve}
   *     and {@link Hub#fetch}
   */
  public Path resolve(String path) {
    if (!HubReference.isReference(path)) {
      return roots.resolve(path);
    }
    HubReference reference = HubReference.parse(path);
    Path fetched =
        hub.orElseThrow(() -> disabled(reference)).fetch(reference, new LoggedProgress());
    return roots.resolve(fetched.toString());
  }

  private static GraftException disabled(HubReference reference) {
    return GraftException.of(
            Category.PERMISSION_DENIED,
            "HUB_DISABLED",
            "backbone %s: this worker fetches nothing from a hub; start it with --hub, or name a directory under its model roots"
                .formatted(reference))
        .with("backbone", reference);
  }

  /** Writes a line for each tenth of what takes a while. */
  private static final class LoggedProgress implements HubProgress.Listener {
    private static final int PARTS = 10;
    private static final long LEAST_BYTES = 10_000_000;

    private long told = -1;

    @Override
    public void onProgress(HubProgress progress) {
      long part = progress.bytes() * PARTS / Math.max(1, progress.totalBytes());
      if (progress.totalBytes() >= LEAST_BYTES && part != told) {
        told = part;
        LOG.log(
            System.Logger.Level.INFO,
            () ->
                "Fetching %s: %d of %d MB, %s"
                    .formatted(
                        progress.reference(),
                        progress.bytes() / 1_000_000,
                        progress.totalBytes() / 1_000_000,
                        progress.file()));
      }
    }
  }
}

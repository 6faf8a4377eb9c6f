package dev.graft.server.hub;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;

/** What can go wrong with a hub, as callers learn it. */
final class HubErrors {
  private HubErrors() {}

  static GraftException unavailable(String problem) {
    return GraftException.of(Category.UNAVAILABLE, "HUB_UNAVAILABLE", problem + "; try again");
  }

  static GraftException unreachable(URI endpoint, IOException cause) {
    String what =
        cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    return unavailable("the hub " + endpoint + " cannot be reached, or broke off: " + what)
        .causedBy(cause);
  }

  static GraftException offline(HubReference reference, Path cache) {
    return GraftException.failedPrecondition(
            "HUB_OFFLINE",
            "%s is not in the cache %s as a whole, and HF_HUB_OFFLINE forbids to fetch it"
                .formatted(reference, cache))
        .with("backbone", reference);
  }

  static GraftException unauthorized(HubReference reference, int status, boolean hasToken) {
    return GraftException.of(
            Category.PERMISSION_DENIED,
            "HUB_UNAUTHORIZED",
            "the hub does not let this worker read %s (status %d): %s"
                .formatted(
                    reference,
                    status,
                    hasToken
                        ? "its token is not valid, or its account has no access: ask for it on the model's page"
                        : "there is no such repository, or it is private or gated: set HF_TOKEN where the worker runs"))
        .with("backbone", reference);
  }

  static GraftException notFound(HubReference reference, String what) {
    return GraftException.of(
            Category.NOT_FOUND, "HUB_NOT_FOUND", reference + ": the hub has no " + what)
        .with("backbone", reference);
  }

  static GraftException corrupt(HubReference reference, String problem) {
    return GraftException.of(
            Category.DATA_LOSS,
            "HUB_CORRUPT_DOWNLOAD",
            "%s: %s; nothing of it was kept".formatted(reference, problem))
        .with("backbone", reference);
  }

  static GraftException corrupt(HubReference reference, String file, String problem) {
    return corrupt(reference, file + " " + problem).with("file", file);
  }

  static GraftException unsupported(HubReference reference, String problem) {
    return GraftException.failedPrecondition("UNSUPPORTED_FORMAT", reference + " " + problem)
        .with("backbone", reference);
  }

  static GraftException unwritable(Path cache, IOException cause) {
    return GraftException.failedPrecondition(
            "HUB_CACHE_UNWRITABLE",
            "the hub's cache %s cannot be written (%s): free space, or set HF_HUB_CACHE"
                .formatted(cache, cause))
        .causedBy(cause);
  }
}

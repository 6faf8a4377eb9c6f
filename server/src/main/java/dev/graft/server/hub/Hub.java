package dev.graft.server.hub;

import dev.graft.server.GraftException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * Fetches backbones from a hub into the cache that {@code huggingface_hub} keeps. Safe to use from
 * several threads and processes: each file is fetched once.
 */
public final class Hub {
  private static final System.Logger LOG = System.getLogger(Hub.class.getName());
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(60);
  private static final int MOST_FAILURES = 6;

  private final HubSettings settings;
  private final HubApi api;
  private final Retries patient;

  /** For what the cache can answer as well. */
  private final Retries hasty;

  public Hub(HubSettings settings) {
    this(settings, Pause.REAL, Clock.systemUTC(), LONGEST_SILENCE);
  }

  Hub(HubSettings settings, Pause pause, Clock clock, Duration longestSilence) {
    this.settings = settings;
    this.api = new HubApi(settings, new HubHttp(settings, longestSilence), clock);
    this.patient = new Retries(pause, MOST_FAILURES);
    this.hasty = new Retries(pause, 1);
  }

  /** The cache's directory, in which all files are and all links end; made if it is not there. */
  public Path cache() {
    try {
      return Files.createDirectories(settings.cache());
    } catch (IOException e) {
      throw HubErrors.unwritable(settings.cache(), e);
    }
  }

  /**
   * Makes sure that a backbone is in the cache. Asks the hub which commit the revision stands for;
   * where it cannot be reached, the commit that it stood for last is as good. May take long.
   *
   * @return the snapshot's directory, or the GGUF file in it
   * @throws GraftException UNAVAILABLE HUB_UNAVAILABLE, PERMISSION_DENIED HUB_UNAUTHORIZED,
   *     NOT_FOUND HUB_NOT_FOUND, DATA_LOSS HUB_CORRUPT_DOWNLOAD, FAILED_PRECONDITION HUB_OFFLINE,
   *     HUB_CACHE_UNWRITABLE, UNSUPPORTED_FORMAT or CORRUPT_CHECKPOINT
   */
  public Path fetch(HubReference reference, HubProgress.Listener listener) {
    RepositoryCache cache = RepositoryCache.of(settings.cache(), reference);
    try {
      Optional<String> known = reference.commit().or(() -> cache.commit(reference.revision()));
      Optional<Path> cached = Optional.empty();
      if (known.isPresent()) {
        cached = find(reference, cache, known.get());
      }
      if (settings.offline()) {
        return cached.orElseThrow(() -> HubErrors.offline(reference, settings.cache()));
      }
      if (reference.commit().isPresent() && cached.isPresent()) {
        return cached.get();
      }
      return fetch(reference, cache, known, cached, listener);
    } catch (IOException e) {
      throw HubErrors.unwritable(settings.cache(), e);
    } catch (UncheckedIOException e) {
      throw HubErrors.unwritable(settings.cache(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("The download was interrupted.");
    }
  }

  private Path fetch(
      HubReference reference,
      RepositoryCache cache,
      Optional<String> known,
      Optional<Path> cached,
      HubProgress.Listener listener)
      throws IOException, InterruptedException {
    Retries retries = cached.isPresent() ? hasty : patient;
    try {
      String commit =
          reference.commit().isPresent()
              ? reference.commit().get()
              : api.commit(reference, retries);
      if (cached.isPresent() && known.equals(Optional.of(commit))) {
        return cached.get();
      }
      return download(reference, cache, commit, listener);
    } catch (GraftException e) {
      if (cached.isEmpty() || !e.reason().equals("HUB_UNAVAILABLE")) {
        throw e;
      }
      LOG.log(
          System.Logger.Level.WARNING,
          "{0}; going on with commit {1} of {2}, which is in the cache",
          e.getMessage(),
          known.orElse(""),
          reference);
      return cached.get();
    }
  }

  private Path download(
      HubReference reference, RepositoryCache cache, String commit, HubProgress.Listener listener)
      throws IOException, InterruptedException {
    Optional<RepositoryListing> listed = cache.listing(commit);
    RepositoryListing listing =
        listed.isPresent() ? listed.get() : api.listing(reference, commit, patient);
    FileSelection selection = FileSelection.of(reference, listing);
    if (listed.isEmpty()) {
      cache.writeListing(commit, listing);
    }
    Transfer transfer = new Transfer(reference, cache, commit, listener);
    List<RepositoryFile> files = new ArrayList<>();
    if (selection.index().isPresent()) {
      RepositoryFile index = selection.index().get();
      transfer.fetch(List.of(index));
      files.addAll(FileSelection.shards(reference, cache.blob(index), listing));
    }
    files.addAll(0, selection.useful());
    files.addAll(0, selection.required());
    transfer.fetch(files);
    cache.writeCommit(reference.revision(), commit);
    return backbone(cache, commit, selection);
  }

  /** The backbone, where a snapshot has all that it is read from. */
  private static Optional<Path> find(HubReference reference, RepositoryCache cache, String commit)
      throws IOException {
    Optional<RepositoryListing> listed = cache.listing(commit);
    RepositoryListing listing = listed.isPresent() ? listed.get() : cache.present(commit);
    try {
      FileSelection selection = FileSelection.of(reference, listing);
      List<RepositoryFile> files = new ArrayList<>(selection.required());
      if (selection.index().isPresent() && cache.has(commit, selection.index().get())) {
        Path index = cache.snapshot(commit).resolve(selection.index().get().name());
        files.addAll(FileSelection.shards(reference, index, listing));
      }
      return files.stream().allMatch(file -> cache.has(commit, file))
          ? Optional.of(backbone(cache, commit, selection))
          : Optional.empty();
    } catch (GraftException e) {
      return Optional.empty(); // then the hub tells whether it is wrong there as well
    }
  }

  private static Path backbone(RepositoryCache cache, String commit, FileSelection selection) {
    Path snapshot = cache.snapshot(commit);
    return selection.gguf().map(file -> snapshot.resolve(file.name())).orElse(snapshot);
  }

  /** Brings files of one commit into its snapshot. */
  private final class Transfer {
    private final HubReference reference;
    private final RepositoryCache cache;
    private final String commit;
    private final HubProgress.Listener listener;

    Transfer(
        HubReference reference,
        RepositoryCache cache,
        String commit,
        HubProgress.Listener listener) {
      this.reference = reference;
      this.cache = cache;
      this.commit = commit;
      this.listener = listener;
    }

    void fetch(List<RepositoryFile> files) throws IOException, InterruptedException {
      long totalBytes = files.stream().mapToLong(RepositoryFile::bytes).sum();
      long before = 0;
      for (RepositoryFile file : files) {
        long done = before;
        BlobDownload.fetch(
            api,
            reference,
            commit,
            file,
            cache,
            patient,
            bytes ->
                listener.onProgress(
                    new HubProgress(reference, file.name(), done + bytes, totalBytes)));
        cache.link(commit, file);
        before += file.bytes();
      }
    }
  }
}

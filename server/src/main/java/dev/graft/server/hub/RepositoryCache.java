package dev.graft.server.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * What the cache has of a repository, laid out as {@code huggingface_hub} does:
 *
 * <pre>
 * models--organization--name/
 *   blobs/ETAG                  content, named by its digest
 *   refs/REVISION               the commit that a branch or tag last stood for
 *   snapshots/COMMIT/FILE       a relative link to its blob
 *   trees/COMMIT.json           all files that the commit has
 * .locks/models--organization--name/
 * </pre>
 *
 * @param cache the cache's directory
 * @param name {@code models--organization--name}
 */
record RepositoryCache(Path cache, String name) {
  private static final System.Logger LOG = System.getLogger(RepositoryCache.class.getName());
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long MOST_REF_BYTES = 100;
  private static final long MOST_TREE_BYTES = 64 << 20;

  /** Folders in folders that are looked into. */
  private static final int DEEPEST = 4;

  static RepositoryCache of(Path cache, HubReference reference) {
    return new RepositoryCache(cache, "models--" + reference.repository().replace("/", "--"));
  }

  Path folder() {
    return cache.resolve(name);
  }

  Path blob(RepositoryFile file) {
    return folder().resolve("blobs").resolve(file.etag());
  }

  /**
   * A blob on its way. Not ETAG.incomplete: versions of {@code huggingface_hub} write that under a
   * lock (flock) that does not exclude Java's (fcntl).
   */
  Path incomplete(RepositoryFile file) {
    return folder().resolve("blobs").resolve(file.etag() + ".graft.incomplete");
  }

  /** Held while a blob is fetched; of a name of its own for the same reason. */
  Path lock(RepositoryFile file) {
    return cache.resolve(".locks").resolve(name).resolve(file.etag() + ".graft.lock");
  }

  Path snapshot(String commit) {
    return folder().resolve("snapshots").resolve(commit);
  }

  private Path tree(String commit) {
    return folder().resolve("trees").resolve(commit + ".json");
  }

  boolean hasBlob(RepositoryFile file) {
    return isWhole(blob(file), file);
  }

  /** Whether a snapshot has a file, in full. */
  boolean has(String commit, RepositoryFile file) {
    return isWhole(snapshot(commit).resolve(file.name()), file);
  }

  private static boolean isWhole(Path path, RepositoryFile file) {
    try {
      return Files.isRegularFile(path) && Files.size(path) == file.bytes();
    } catch (IOException e) {
      return false; // gone, or not ours to read: then it is as if it were not there
    }
  }

  /** The commit that a branch or tag stood for when it was last asked for. */
  Optional<String> commit(String revision) {
    Path ref = folder().resolve("refs").resolve(revision);
    try {
      if (!Files.isRegularFile(ref) || Files.size(ref) > MOST_REF_BYTES) {
        return Optional.empty();
      }
      return Optional.of(Files.readString(ref).strip()).filter(HubReference::isCommit);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "The hub cache's " + ref + " cannot be read", e);
      return Optional.empty();
    }
  }

  void writeCommit(String revision, String commit) throws IOException {
    if (!revision.equals(commit) && !commit(revision).equals(Optional.of(commit))) {
      replace(folder().resolve("refs").resolve(revision), commit);
    }
  }

  /** The files that a commit has, if that was once asked for. */
  Optional<RepositoryListing> listing(String commit) {
    Path tree = tree(commit);
    try {
      if (!Files.isRegularFile(tree) || Files.size(tree) > MOST_TREE_BYTES) {
        return Optional.empty();
      }
      return Optional.of(RepositoryListing.parse(JSON.readTree(Files.readAllBytes(tree))));
    } catch (IOException | IllegalArgumentException e) {
      LOG.log(System.Logger.Level.WARNING, "The hub cache's " + tree + " is ignored", e);
      return Optional.empty();
    }
  }

  void writeListing(String commit, RepositoryListing listing) throws IOException {
    replace(tree(commit), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(listing.json()));
  }

  /** The files that a snapshot has, whatever the commit has besides. */
  RepositoryListing present(String commit) throws IOException {
    Path snapshot = snapshot(commit);
    if (!Files.isDirectory(snapshot)) {
      return RepositoryListing.of(List.of());
    }
    try (Stream<Path> paths = Files.walk(snapshot, DEEPEST)) {
      return RepositoryListing.of(
          paths.filter(Files::isRegularFile).map(path -> present(snapshot, path)).toList());
    }
  }

  private static RepositoryFile present(Path snapshot, Path path) {
    String name = snapshot.relativize(path).toString().replace('\\', '/');
    return new RepositoryFile(name, path.toFile().length(), "");
  }

  /** Gives a blob its name in a snapshot. */
  void link(String commit, RepositoryFile file) throws IOException {
    Path link = snapshot(commit).resolve(file.name());
    Path target = link.getParent().relativize(blob(file));
    if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(target)) {
      return;
    }
    Files.createDirectories(link.getParent());
    Path fresh = beside(link);
    try {
      Files.createSymbolicLink(fresh, target);
      Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  /** Writes a small file beside and renames it: its readers see the old text or the new one. */
  private static void replace(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Path fresh = beside(file);
    try {
      Files.writeString(fresh, text);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private static Path beside(Path file) {
    return file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".tmp");
  }
}

package dev.graft.server.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * All files of a repository at a commit. Its JSON is that of {@code trees/COMMIT.json} in the
 * cache, where {@code huggingface_hub} keeps listings as well.
 */
final class RepositoryListing {
  private static final int FORMAT_VERSION = 1;
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final Map<String, RepositoryFile> files;
  private final ObjectNode json;

  private RepositoryListing(Map<String, RepositoryFile> files, ObjectNode json) {
    this.files = files;
    this.json = json;
  }

  Optional<RepositoryFile> find(String name) {
    return Optional.ofNullable(files.get(name));
  }

  /** Files at the top, where a backbone's lie, sorted by name. */
  Stream<RepositoryFile> top() {
    return files.values().stream().filter(file -> file.name().indexOf('/') < 0);
  }

  ObjectNode json() {
    return json;
  }

  /** Files that are there, whatever the hub has besides. */
  static RepositoryListing of(List<RepositoryFile> present) {
    Map<String, RepositoryFile> files = new TreeMap<>();
    present.forEach(file -> files.put(file.name(), file));
    return new RepositoryListing(files, NODES.objectNode());
  }

  /**
   * Reads the cache's form.
   *
   * @throws IllegalArgumentException saying what is wrong
   */
  static RepositoryListing parse(JsonNode json) {
    if (!(json instanceof ObjectNode object)
        || json.path("format_version").asInt() != FORMAT_VERSION) {
      throw new IllegalArgumentException("is of an unknown format");
    }
    Map<String, RepositoryFile> files = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : json.path("files").properties()) {
      files.put(entry.getKey(), file(entry.getKey(), entry.getValue()));
    }
    return new RepositoryListing(files, object);
  }

  private static RepositoryFile file(String name, JsonNode entry) {
    if (!RepositoryFile.isSafe(name)) {
      throw new IllegalArgumentException("names a file that leads elsewhere: \"" + name + "\"");
    }
    boolean large = entry.has("lfs_sha256");
    String etag = entry.path(large ? "lfs_sha256" : "blob_id").asText("");
    JsonNode bytes = entry.path(large ? "lfs_size" : "size");
    if (!RepositoryFile.isEtag(etag) || !bytes.canConvertToLong() || bytes.asLong() < 0) {
      throw new IllegalArgumentException("has no digest, or no size, for " + name);
    }
    return new RepositoryFile(name, bytes.asLong(), etag);
  }

  /** Gathers the pages of a hub's answer. */
  static final class Builder {
    private final ObjectNode files = NODES.objectNode();

    int size() {
      return files.size();
    }

    /** Adds a page of {@code /api/models/REPOSITORY/tree/COMMIT}. */
    void addPage(JsonNode page) {
      if (!page.isArray()) {
        throw new IllegalArgumentException("is no list");
      }
      for (JsonNode entry : page) {
        if (entry.path("type").asText().equals("file")) {
          add(entry);
        }
      }
    }

    private void add(JsonNode entry) {
      ObjectNode file = NODES.objectNode();
      file.set("size", entry.path("size"));
      file.set("blob_id", entry.path("oid"));
      JsonNode large = entry.path("lfs");
      if (large.isObject()) {
        file.set("lfs_sha256", large.path("oid"));
        file.set("lfs_size", large.path("size"));
      }
      if (entry.path("xetHash").isTextual()) {
        file.set("xet_hash", entry.path("xetHash"));
      }
      files.set(entry.path("path").asText(), file);
    }

    RepositoryListing build() {
      ObjectNode json = NODES.objectNode();
      json.put("format_version", FORMAT_VERSION);
      json.set("files", files);
      return parse(json);
    }
  }
}

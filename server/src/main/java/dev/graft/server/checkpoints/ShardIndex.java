package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.JsonNode;
import dev.graft.server.GraftException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads {@code model.safetensors.index.json} and the shards that it names: {@code {"weight_map":
 * {tensor: shard}}}. Index and shards must agree on every tensor, since a tensor that one of them
 * lacks would change features silently where it is optional.
 */
final class ShardIndex {
  static final String FILE_NAME = "model.safetensors.index.json";

  private ShardIndex() {}

  static Map<String, TensorEntry> open(Path index, ModelDirectory directory) {
    JsonNode weightMap = Json.readObject(index).path("weight_map");
    if (!weightMap.isObject()) {
      throw Corruption.of(index, "has no object `weight_map`");
    }
    Map<String, TensorEntry> tensors = new TreeMap<>();
    Map<String, Safetensors<TensorEntry>> shards = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> mapping : weightMap.properties()) {
      String name = mapping.getKey();
      String shard = mapping.getValue().asText("");
      TensorEntry entry =
          shards
              .computeIfAbsent(shard, fileName -> openShard(index, fileName, directory))
              .tensors()
              .get(name);
      if (entry == null) {
        throw Corruption.of(index, name, "is not in its shard " + shard).with("shard", shard);
      }
      tensors.put(name, entry);
    }
    shards.forEach((shard, file) -> requireIndexed(index, tensors, shard, file));
    return tensors;
  }

  private static Safetensors<TensorEntry> openShard(
      Path index, String shard, ModelDirectory directory) {
    requireFileName(index, shard);
    return Safetensors.open(
        directory
            .find(shard)
            .orElseThrow(
                () -> Corruption.of(index, "shard " + shard + " is missing").with("shard", shard)));
  }

  private static void requireIndexed(
      Path index, Map<String, TensorEntry> indexed, String shard, Safetensors<TensorEntry> file) {
    file.tensors()
        .forEach(
            (name, entry) -> {
              if (indexed.get(name) != entry) {
                throw Corruption.of(
                        index, name, "is in shard " + shard + ", where the index does not have it")
                    .with("shard", shard);
              }
            });
  }

  private static void requireFileName(Path index, String shard) {
    if (!shard.endsWith(".safetensors") || shard.contains("/") || shard.contains("\\")) {
      throw notAFileName(index, shard);
    }
    try {
      Path path = Path.of(shard);
      if (path.getNameCount() != 1 || path.isAbsolute()) {
        throw notAFileName(index, shard);
      }
    } catch (InvalidPathException e) {
      throw notAFileName(index, shard).causedBy(e);
    }
  }

  private static GraftException notAFileName(Path index, String shard) {
    return Corruption.of(
        index, "names the shard \"" + shard + "\", which is no *.safetensors file name");
  }
}

package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * All that a directory says about a backbone: its configuration, where each of its tensors lies,
 * and its tokenizer. Opening reads headers only. Immutable; safe to share between threads.
 */
public final class Checkpoint {
  private static final String SAFETENSORS = "model.safetensors";

  private final Path directory;
  private final ObjectNode configuration;
  private final Map<String, TensorEntry> tensors;
  private final Optional<Path> tokenizer;

  private Checkpoint(
      Path directory,
      ObjectNode configuration,
      Map<String, TensorEntry> tensors,
      Optional<Path> tokenizer) {
    this.directory = directory;
    this.configuration = configuration;
    this.tensors = Collections.unmodifiableMap(new TreeMap<>(tensors));
    this.tokenizer = tokenizer;
  }

  /** Opens a directory whose files lead nowhere else. */
  public static Checkpoint open(Path directory) {
    return open(directory, ModelRoots.of(List.of(directory)));
  }

  /**
   * Opens a directory: {@code config.json} with {@code model.safetensors} or {@code
   * model.safetensors.index.json} and its shards.
   *
   * @param roots where the directory's links may lead
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT naming file and tensor,
   *     FAILED_PRECONDITION UNSUPPORTED_FORMAT where the weights are in a format that is not read,
   *     PERMISSION_DENIED OUTSIDE_MODEL_ROOTS
   */
  public static Checkpoint open(Path directory, ModelRoots roots) {
    ModelDirectory files = new ModelDirectory(directory, roots);
    return new Checkpoint(directory, configuration(files), tensors(files), tokenizer(files));
  }

  private static Map<String, TensorEntry> tensors(ModelDirectory files) {
    Optional<Path> single = files.find(SAFETENSORS);
    if (single.isPresent()) {
      return Safetensors.open(single.get()).tensors();
    }
    Optional<Path> index = files.find(ShardIndex.FILE_NAME);
    if (index.isPresent()) {
      return ShardIndex.open(index.get(), files);
    }
    throw unsupported(files);
  }

  private static GraftException unsupported(ModelDirectory files) {
    List<String> pickles = files.namesEndingWith(".bin");
    if (!pickles.isEmpty()) {
      return Corruption.unsupportedFormat(
          files.path(),
          "has its weights only in "
              + pickles.get(0)
              + ". Pickles can run code and are never read: convert it to safetensors, for example"
              + " AutoModel.from_pretrained(...).save_pretrained(..., safe_serialization=True)");
    }
    return Corruption.unsupportedFormat(
        files.path(), "holds neither " + SAFETENSORS + " nor " + ShardIndex.FILE_NAME);
  }

  private static ObjectNode configuration(ModelDirectory files) {
    return Json.readObject(
        files
            .find("config.json")
            .orElseThrow(() -> Corruption.of(files.path(), "has no config.json")));
  }

  private static Optional<Path> tokenizer(ModelDirectory files) {
    return files.find("tokenizer.json");
  }

  /** The directory. */
  public Path directory() {
    return directory;
  }

  /** The object in {@code config.json}. Not to be changed. */
  public JsonNode configuration() {
    return configuration;
  }

  /** {@code tokenizer.json}, if there is one. */
  public Optional<Path> tokenizer() {
    return tokenizer;
  }

  /** Names of all tensors, sorted. */
  public Set<String> names() {
    return tensors.keySet();
  }

  /** All tensors, by name. */
  public Collection<TensorEntry> tensors() {
    return tensors.values();
  }

  /** The tensor of this name. */
  public Optional<TensorEntry> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * The tensor of this name.
   *
   * @throws GraftException FAILED_PRECONDITION MISSING_TENSOR
   */
  public TensorEntry require(String name) {
    return find(name)
        .orElseThrow(
            () ->
                GraftException.failedPrecondition(
                        "MISSING_TENSOR", "%s has no tensor %s".formatted(directory, name))
                    .with("tensor", name));
  }

  /** Size of all tensors in bytes. */
  public long bytes() {
    return tensors.values().stream().mapToLong(TensorEntry::bytes).sum();
  }

  /**
   * SHA-256, in hex, over the configuration and every tensor's name, type, shape and bytes. Reads
   * all files anew at each call, so that it can prove that nothing has changed.
   */
  public String digest() {
    return CheckpointDigest.of(configuration, tensors.values());
  }
}

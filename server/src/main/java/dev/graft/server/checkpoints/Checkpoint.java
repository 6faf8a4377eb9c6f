package dev.graft.server.checkpoints;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * All that a directory, or a GGUF file, says about a backbone: its configuration, where each of its
 * tensors lies, and its tokenizer. Opening reads headers only. Immutable; safe to share between
 * threads.
 */
public final class Checkpoint {
  private static final String SAFETENSORS = "model.safetensors";
  private static final String CONFIGURATION = "config.json";
  private static final String TOKENIZER = "tokenizer.json";

  private final Path directory;
  private final ObjectNode configuration;
  private final Map<String, TensorEntry> tensors;
  private final Optional<Path> tokenizer;
  private final Optional<GgufModel> gguf;

  private Checkpoint(
      Path directory,
      ObjectNode configuration,
      Map<String, TensorEntry> tensors,
      Optional<Path> tokenizer,
      Optional<GgufModel> gguf) {
    this.directory = directory;
    this.configuration = configuration;
    this.tensors = Collections.unmodifiableMap(new TreeMap<>(tensors));
    this.tokenizer = tokenizer;
    this.gguf = gguf;
  }

  /** A checkpoint of tensors that are known already, without tokenizer. */
  public static Checkpoint of(
      Path directory, ObjectNode configuration, Collection<TensorEntry> tensors) {
    Map<String, TensorEntry> byName = new TreeMap<>();
    tensors.forEach(tensor -> byName.put(tensor.name(), tensor));
    return new Checkpoint(directory, configuration, byName, Optional.empty(), Optional.empty());
  }

  /** Opens a directory, or a GGUF file, whose links lead nowhere else. */
  public static Checkpoint open(Path path) {
    Path root = Files.isRegularFile(path) ? path.toAbsolutePath().getParent() : path;
    return open(path, ModelRoots.of(List.of(root)));
  }

  /**
   * Opens a GGUF file, or a directory: {@code config.json} with {@code model.safetensors}, or
   * {@code model.safetensors.index.json} and its shards, or else a BERT encoder in ONNX ({@code
   * model.onnx}, {@code onnx/model.onnx} or the only {@code *.onnx}), which can do without {@code
   * config.json}, or else its only {@code *.gguf}.
   *
   * @param roots where the directory's links may lead
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT naming file and tensor,
   *     FAILED_PRECONDITION UNSUPPORTED_ARCHITECTURE for GGUF of another architecture,
   *     FAILED_PRECONDITION UNSUPPORTED_FORMAT where the weights are in a format that is not read,
   *     FAILED_PRECONDITION UNSUPPORTED_OPTION for quantized ONNX models, PERMISSION_DENIED
   *     OUTSIDE_MODEL_ROOTS
   */
  public static Checkpoint open(Path directory, ModelRoots roots) {
    if (Files.isRegularFile(directory)) {
      return openGguf(directory, roots);
    }
    ModelDirectory files = new ModelDirectory(directory, roots);
    Optional<Path> single = files.find(SAFETENSORS);
    if (single.isPresent()) {
      return of(files, configuration(files), Safetensors.open(single.get()).tensors());
    }
    Optional<Path> index = files.find(ShardIndex.FILE_NAME);
    if (index.isPresent()) {
      return of(files, configuration(files), ShardIndex.open(index.get(), files));
    }
    Optional<Path> onnx = onnx(files);
    if (onnx.isPresent()) {
      OnnxGraph graph = OnnxReader.read(onnx.get());
      Map<String, TensorEntry> tensors = OnnxInitializers.of(graph);
      Optional<Path> configuration = files.find(CONFIGURATION);
      return of(
          files,
          configuration.isPresent()
              ? Json.readObject(configuration.get())
              : OnnxBertConfiguration.of(graph, tensors),
          tensors);
    }
    List<String> gguf = files.namesEndingWith(Gguf.SUFFIX);
    if (gguf.size() == 1) {
      return openGguf(directory.resolve(gguf.get(0)), roots);
    }
    throw unsupported(files);
  }

  private static Checkpoint of(
      ModelDirectory files, ObjectNode configuration, Map<String, TensorEntry> tensors) {
    return new Checkpoint(files.path(), configuration, tensors, tokenizer(files), Optional.empty());
  }

  private static Checkpoint openGguf(Path file, ModelRoots roots) {
    Path parent = file.toAbsolutePath().getParent();
    Path real =
        new ModelDirectory(parent, roots)
            .find(file.getFileName().toString())
            .orElseThrow(() -> Corruption.of(file, "has vanished"));
    GgufModel model = GgufModel.of(Gguf.open(real));
    Map<String, TensorEntry> tensors = new TreeMap<>();
    model.tensors().forEach((name, tensor) -> tensors.put(name, tensor.entry()));
    return new Checkpoint(
        file, model.configuration(), tensors, Optional.empty(), Optional.of(model));
  }

  /** The model in ONNX, where exporters put it, or the only one there is. */
  private static Optional<Path> onnx(ModelDirectory files) {
    Optional<Path> conventional = files.find("model.onnx").or(() -> files.find("onnx/model.onnx"));
    if (conventional.isPresent()) {
      return conventional;
    }
    List<String> names = files.namesEndingWith(".onnx");
    if (names.size() > 1) {
      throw Corruption.unsupportedFormat(
          files.path(), "holds several models %s: name one of them model.onnx".formatted(names));
    }
    return names.stream().findFirst().flatMap(files::find);
  }

  private static GraftException unsupported(ModelDirectory files) {
    List<String> pickles =
        Stream.of(".bin", ".pt", ".pth").map(files::namesEndingWith).flatMap(List::stream).toList();
    if (!pickles.isEmpty()) {
      return Corruption.unsupportedFormat(
          files.path(),
          "has its weights only in "
              + pickles.get(0)
              + ". Pickles can run code and are never read: convert it to safetensors, for example"
              + " AutoModel.from_pretrained(...).save_pretrained(..., safe_serialization=True)");
    }
    return Corruption.unsupportedFormat(
        files.path(),
        "holds no weights: no %s, no %s, no *.onnx, and not one *.gguf"
            .formatted(SAFETENSORS, ShardIndex.FILE_NAME));
  }

  private static ObjectNode configuration(ModelDirectory files) {
    return Json.readObject(
        files
            .find(CONFIGURATION)
            .orElseThrow(() -> Corruption.of(files.path(), "has no " + CONFIGURATION)));
  }

  private static Optional<Path> tokenizer(ModelDirectory files) {
    Optional<Path> conventional = files.find(TOKENIZER);
    if (conventional.isPresent()) {
      return conventional;
    }
    List<String> names = files.namesEndingWith("-" + TOKENIZER);
    return names.size() == 1 ? files.find(names.get(0)) : Optional.empty();
  }

  /** The directory, or the GGUF file. */
  public Path directory() {
    return directory;
  }

  /** The object in {@code config.json}, or what an ONNX graph shows of it. Not to be changed. */
  public JsonNode configuration() {
    return configuration;
  }

  /** {@code tokenizer.json}, or the only {@code *-tokenizer.json}, if there is one. */
  public Optional<Path> tokenizer() {
    return tokenizer;
  }

  /**
   * The text of a {@code tokenizer.json} made from what a GGUF file says; empty if it has no
   * tokenizer, or if the backbone is no GGUF file.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for tokenizers that are not read
   */
  public Optional<String> tokenizerText() {
    return gguf.flatMap(model -> GgufTokenizer.json(model.gguf().metadata()));
  }

  /**
   * The tokenizer, wherever it is; empty if there is none.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT, or those of {@link
   *     #tokenizerText}
   */
  public Optional<ObjectNode> tokenizerTree() {
    return gguf.flatMap(model -> GgufTokenizer.tree(model.gguf().metadata()))
        .or(() -> tokenizer.map(Json::readObject));
  }

  /**
   * The tensor of this name as a GGUF file stores it; empty if there is none, or if the backbone is
   * no GGUF file. {@link #find} then gives its bytes, which may have to be decoded.
   */
  public Optional<GgufTensor> ggufTensor(String name) {
    return gguf.map(model -> model.tensors().get(name));
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

package dev.graft.server.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.GraftException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which of a repository's files a backbone is read from: safetensors with JSON and tokenizer files,
 * or a GGUF file. All else, pickles above all, is never asked for.
 *
 * @param gguf the backbone, where it is one file
 * @param index where shards are named, which is read before they are known
 * @param required without which the backbone cannot be read
 * @param useful what Python reads besides
 */
record FileSelection(
    Optional<RepositoryFile> gguf,
    Optional<RepositoryFile> index,
    List<RepositoryFile> required,
    List<RepositoryFile> useful) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final long MOST_INDEX_BYTES = 64 << 20;
  private static final Set<String> TOKENIZERS =
      Set.of(
          "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model");
  private static final List<String> PICKLES = List.of(".bin", ".pt", ".pth", ".ckpt");

  /**
   * Chooses.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_FORMAT, or NOT_FOUND HUB_NOT_FOUND for a
   *     GGUF file that is not there
   */
  static FileSelection of(HubReference reference, RepositoryListing listing) {
    if (reference.file().isPresent()) {
      String name = reference.file().get();
      return gguf(
          listing.find(name).orElseThrow(() -> HubErrors.notFound(reference, "file " + name)));
    }
    Optional<RepositoryFile> single = listing.find(SINGLE);
    Optional<RepositoryFile> index = single.isPresent() ? Optional.empty() : listing.find(INDEX);
    if (single.isPresent() || index.isPresent()) {
      return safetensors(reference, listing, single, index);
    }
    List<RepositoryFile> files =
        listing.top().filter(file -> file.name().endsWith(".gguf")).toList();
    if (files.size() == 1) {
      return gguf(files.get(0));
    }
    throw HubErrors.unsupported(reference, withoutWeights(reference, listing, files));
  }

  private static FileSelection gguf(RepositoryFile file) {
    return new FileSelection(Optional.of(file), Optional.empty(), List.of(file), List.of());
  }

  private static FileSelection safetensors(
      HubReference reference,
      RepositoryListing listing,
      Optional<RepositoryFile> single,
      Optional<RepositoryFile> index) {
    List<RepositoryFile> required = new ArrayList<>();
    required.add(
        listing
            .find("config.json")
            .orElseThrow(() -> HubErrors.unsupported(reference, "has no config.json")));
    listing.find("tokenizer.json").ifPresent(required::add);
    single.ifPresent(required::add);
    index.ifPresent(required::add);
    List<RepositoryFile> useful =
        listing.top().filter(file -> isText(file.name()) && !required.contains(file)).toList();
    return new FileSelection(Optional.empty(), index, required, useful);
  }

  /** JSON and tokenizer files, but not the indices of other formats' shards. */
  private static boolean isText(String name) {
    return TOKENIZERS.contains(name) || (name.endsWith(".json") && !name.endsWith(".index.json"));
  }

  private static String withoutWeights(
      HubReference reference, RepositoryListing listing, List<RepositoryFile> ggufs) {
    if (!ggufs.isEmpty()) {
      List<String> names = ggufs.stream().map(RepositoryFile::name).limit(20).toList();
      return "holds several models %s: name one, as in %s/%s"
          .formatted(names, reference, names.get(0));
    }
    Optional<RepositoryFile> pickle =
        listing.top().filter(file -> PICKLES.stream().anyMatch(file.name()::endsWith)).findFirst();
    return pickle
        .map(
            file ->
                "has its weights only in "
                    + file.name()
                    + ". Pickles can run code and are never fetched: choose a revision with safetensors"
                    + " (refs/pr/1 often is one), or convert it")
        .orElse("holds no weights: no %s, no %s and no .gguf".formatted(SINGLE, INDEX));
  }

  /**
   * The shards that an index names.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT
   */
  static List<RepositoryFile> shards(
      HubReference reference, Path index, RepositoryListing listing) {
    Set<String> names = new TreeSet<>();
    try {
      if (Files.size(index) > MOST_INDEX_BYTES) {
        throw damagedIndex(reference, "is too large");
      }
      for (JsonNode shard : JSON.readTree(Files.readAllBytes(index)).path("weight_map")) {
        names.add(shard.asText());
      }
    } catch (IOException e) {
      throw damagedIndex(reference, "cannot be read").causedBy(e);
    }
    return names.stream().map(name -> shard(reference, name, listing)).toList();
  }

  private static RepositoryFile shard(
      HubReference reference, String name, RepositoryListing listing) {
    if (!name.endsWith(".safetensors") || name.indexOf('/') >= 0) {
      throw damagedIndex(reference, "names the shard \"" + name + "\", which is none");
    }
    return listing
        .find(name)
        .orElseThrow(
            () -> damagedIndex(reference, "names the shard " + name + ", which is not there"));
  }

  private static GraftException damagedIndex(HubReference reference, String problem) {
    return GraftException.failedPrecondition(
            "CORRUPT_CHECKPOINT", "%s: %s %s".formatted(reference, INDEX, problem))
        .with("backbone", reference)
        .with("file", INDEX);
  }
}

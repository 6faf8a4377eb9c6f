package dev.graft.server.rpc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.graft.server.GraftException;
import dev.graft.server.Sha256;
import dev.graft.server.checkpoints.ModelDirectory;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Probabilities;
import dev.graft.v1.Projector;
import dev.graft.v1.TrainedProjector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A projector with what it was trained on, as {@code graft train} writes it: {@code graft.json}
 * beside {@code projector.safetensors}, and the backbone itself if it was included.
 *
 * @param features how features are computed; its backbone's path is where the backbone lies now
 * @param projectorFile the projector's whole file
 * @param backboneDigest of the backbone that the projector was trained on
 */
record Bundle(
    Path directory,
    FeatureSpec features,
    TrainedProjector projector,
    byte[] projectorFile,
    String backboneDigest) {
  private static final String MANIFEST = "graft.json";
  private static final String PROJECTOR = "projector.safetensors";
  private static final String BACKBONE = "backbone";

  /** Far above any manifest: its largest part is a name for each class. */
  private static final long MAX_MANIFEST_BYTES = 64 << 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads a bundle.
   *
   * @param path as in the contract's {@code ExtractSpec.bundle}
   * @throws GraftException those of a backbone's path; FAILED_PRECONDITION (CORRUPT_BUNDLE)
   */
  static Bundle read(ModelRoots roots, String path, long maxProjectorBytes) {
    Path directory = roots.resolve(path);
    ModelDirectory files = new ModelDirectory(directory, roots);
    try {
      JsonNode manifest = JSON.readTree(file(files, MANIFEST, MAX_MANIFEST_BYTES));
      if (!manifest.path("format").asText().equals("graft-bundle")
          || manifest.path("format_version").asInt() != 1) {
        throw corrupt(directory, MANIFEST + " is not the manifest of a bundle of version 1");
      }
      byte[] weights = file(files, PROJECTOR, maxProjectorBytes);
      String sha256 = manifest.path("projector_file").path("sha256").asText();
      if (!Sha256.hex(weights).equals(sha256)) {
        throw corrupt(
            directory, PROJECTOR + " is not the file that " + MANIFEST + " describes (SHA-256)");
      }
      return new Bundle(
          directory,
          features(manifest, directory),
          projector(manifest, weights.length),
          weights,
          manifest.path("backbone").path("digest").asText());
    } catch (JsonProcessingException e) {
      throw corrupt(directory, MANIFEST + " is not valid JSON: " + e.getOriginalMessage())
          .causedBy(e);
    } catch (InvalidProtocolBufferException e) {
      throw corrupt(directory, MANIFEST + ": " + e.getMessage()).causedBy(e);
    } catch (IOException e) {
      throw corrupt(directory, "cannot be read: " + e.getMessage()).causedBy(e);
    }
  }

  private static byte[] file(ModelDirectory directory, String name, long maxBytes)
      throws IOException {
    Path file =
        directory
            .find(name)
            .orElseThrow(
                () ->
                    corrupt(
                        directory.path(),
                        "has no " + name + "; `graft train --output` makes a bundle"));
    if (Files.size(file) > maxBytes) {
      throw corrupt(directory.path(), name + " has more than " + maxBytes + " bytes");
    }
    return Files.readAllBytes(file);
  }

  private static FeatureSpec features(JsonNode manifest, Path directory)
      throws InvalidProtocolBufferException {
    FeatureSpec.Builder features = FeatureSpec.newBuilder();
    JsonFormat.parser().merge(manifest.path("features").toString(), features);
    JsonNode backbone = manifest.path("backbone");
    features
        .getBackboneBuilder()
        .setPath(
            backbone.path("included").asBoolean()
                ? directory.resolve(BACKBONE).toString()
                : backbone.path("path").asText());
    return features.build();
  }

  private static TrainedProjector projector(JsonNode manifest, long fileBytes)
      throws InvalidProtocolBufferException {
    Projector.Builder projector = Projector.newBuilder();
    JsonFormat.parser().merge(manifest.path("projector").toString(), projector);
    TrainedProjector.Builder trained =
        TrainedProjector.newBuilder().setProjector(projector).setFileBytes(fileBytes);
    String probabilities = manifest.path("probabilities").asText();
    for (Probabilities known : Probabilities.values()) {
      if (known.name().equals(probabilities)) {
        return trained.setProbabilities(known).build();
      }
    }
    throw new InvalidProtocolBufferException("unknown probabilities \"" + probabilities + "\"");
  }

  /**
   * Holds the backbone that was loaded against the one that the projector was trained on.
   *
   * @throws GraftException FAILED_PRECONDITION (WRONG_BACKBONE)
   */
  void requireBackbone(String digest) {
    if (!digest.equals(backboneDigest)) {
      throw GraftException.failedPrecondition(
              "WRONG_BACKBONE",
              "The bundle %s was trained on a backbone with digest %s, but %s has %s: put the right one there, or train again."
                  .formatted(directory, backboneDigest, features.getBackbone().getPath(), digest))
          .with("bundle", directory)
          .with("expected", backboneDigest)
          .with("found", digest);
    }
  }

  private static GraftException corrupt(Path directory, String what) {
    return GraftException.failedPrecondition(
            "CORRUPT_BUNDLE", "The bundle %s: %s.".formatted(directory, what))
        .with("bundle", directory);
  }
}

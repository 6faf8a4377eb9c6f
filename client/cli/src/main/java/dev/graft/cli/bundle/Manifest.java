package dev.graft.cli.bundle;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.cli.items.Classes;
import dev.graft.cli.output.PartialFile;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.Objective;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.Probabilities;
import dev.graft.v1.Projector;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code graft.json}: what a bundle was trained on and how, so that it can be used without being
 * told again.
 *
 * @param spec every default filled in; its backbone's path is where predictions look for it
 * @param backboneIncluded whether the backbone lies in the bundle, in {@link #BACKBONE}
 * @param backboneDigest SHA-256 of the backbone's configuration and tensors
 * @param classes names of the classes, for objectives that have some
 * @param audit what was trained and what stayed frozen
 * @param result how training ended
 * @param evaluation the last evaluation's metrics; possibly none
 * @param graftVersion version of the command
 * @param workerVersion version of the worker
 */
public record Manifest(
    TrainSpec spec,
    boolean backboneIncluded,
    String backboneDigest,
    Optional<Classes> classes,
    ParameterAudit audit,
    TrainResult result,
    Map<String, Double> evaluation,
    String graftVersion,
    String workerVersion) {

  /** The manifest's file name. */
  public static final String FILE = "graft.json";

  /** The projector's file name. */
  public static final String PROJECTOR_FILE = "projector.safetensors";

  /** Where an included backbone lies in a bundle. */
  public static final String BACKBONE = "backbone";

  private static final String FORMAT = "graft-bundle";
  private static final int FORMAT_VERSION = 1;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How the projector's outputs become probabilities. */
  public Probabilities probabilities() {
    return switch (spec.getObjective().getKindCase()) {
      case CROSS_ENTROPY -> Probabilities.PROBABILITIES_SOFTMAX;
      case BINARY_CROSS_ENTROPY -> Probabilities.PROBABILITIES_SIGMOID;
      case MEAN_SQUARED_ERROR, COSINE_EMBEDDING, INFO_NCE, KIND_NOT_SET ->
          Probabilities.PROBABILITIES_UNSPECIFIED;
    };
  }

  void write(Path bundle) throws IOException {
    byte[] text = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(toJson());
    PartialFile.write(bundle.resolve(FILE), text);
  }

  ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("format", FORMAT).put("format_version", FORMAT_VERSION);
    json.putObject("backbone")
        .put("path", spec.getFeatures().getBackbone().getPath())
        .put("included", backboneIncluded)
        .put("digest", backboneDigest);
    json.set("features", ProtoJson.toJson(spec.getFeatures().toBuilder().clearBackbone().build()));
    json.set("projector", ProtoJson.toJson(spec.getProjector()));
    json.putObject("projector_file")
        .put("name", PROJECTOR_FILE)
        .put("sha256", result.getProjectorSha256());
    json.set("objective", ProtoJson.toJson(spec.getObjective()));
    json.put("probabilities", probabilities().name());
    classes.ifPresent(
        known -> {
          json.put("label_kind", known.numbered() ? "number" : "name");
          known.names().forEach(json.withArray("labels")::add);
        });
    json.set("arguments", ProtoJson.toJson(spec.getArguments()));
    json.set("audit", ProtoJson.toJson(audit));
    ObjectNode results = ProtoJson.toJson(result.toBuilder().clearAudit().build());
    json.set("result", results);
    ObjectNode metrics = results.putObject("evaluation");
    evaluation.forEach(metrics::put);
    json.putObject("versions").put("graft", graftVersion).put("worker", workerVersion);
    return json;
  }

  /** Reads a bundle's manifest. */
  public static Manifest read(Path bundle) throws IOException {
    Path file = bundle.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new IOException(
          bundle + " is not a bundle: it has no " + FILE + "; `graft train --output` makes one");
    }
    try {
      return fromJson(JSON.readTree(file.toFile()));
    } catch (JsonProcessingException e) {
      throw new IOException(file + " is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static Manifest fromJson(JsonNode json) {
    if (!json.path("format").asText().equals(FORMAT)) {
      throw new IllegalArgumentException("\"format\" is not \"" + FORMAT + "\"");
    }
    if (json.path("format_version").asInt() != FORMAT_VERSION) {
      throw new IllegalArgumentException(
          "its format_version is "
              + json.path("format_version")
              + ", this version of graft reads "
              + FORMAT_VERSION);
    }
    FeatureSpec.Builder features =
        ProtoJson.fromJson(json.path("features"), FeatureSpec.newBuilder());
    features.getBackboneBuilder().setPath(json.path("backbone").path("path").asText());
    TrainSpec.Builder spec =
        TrainSpec.newBuilder()
            .setFeatures(features)
            .setProjector(ProtoJson.fromJson(json.path("projector"), Projector.newBuilder()))
            .setObjective(ProtoJson.fromJson(json.path("objective"), Objective.newBuilder()));
    ProtoJson.fromJson(json.path("arguments"), spec.getArgumentsBuilder());
    ObjectNode results = json.path("result").deepCopy();
    Map<String, Double> evaluation = new LinkedHashMap<>();
    results
        .path("evaluation")
        .properties()
        .forEach(metric -> evaluation.put(metric.getKey(), metric.getValue().asDouble()));
    results.remove("evaluation");
    return new Manifest(
        spec.build(),
        json.path("backbone").path("included").asBoolean(),
        json.path("backbone").path("digest").asText(),
        classes(json),
        ProtoJson.fromJson(json.path("audit"), ParameterAudit.newBuilder()).build(),
        ProtoJson.fromJson(results, TrainResult.newBuilder()).build(),
        evaluation,
        json.path("versions").path("graft").asText(),
        json.path("versions").path("worker").asText());
  }

  private static Optional<Classes> classes(JsonNode json) {
    if (!json.has("labels")) {
      return Optional.empty();
    }
    List<String> names = new ArrayList<>();
    json.path("labels").forEach(name -> names.add(name.asText()));
    return Optional.of(new Classes(names, json.path("label_kind").asText().equals("number")));
  }
}

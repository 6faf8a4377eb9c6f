package dev.graft.server.jobs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.graft.server.GraftException;
import dev.graft.server.backbones.GgufDescription;
import dev.graft.server.backbones.LinearWeights;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.FileOpener;
import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.checkpoints.GgufLayout;
import dev.graft.server.checkpoints.GgufTokenizerWriter;
import dev.graft.server.checkpoints.GgufWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TokenizerComparison;
import dev.graft.server.quantizing.GgmlEncoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One GGUF file with all of a model. Which tensors stay as they are is llama.cpp's rule
 * (llama-quant.cpp), but that Q4_0 has its output embeddings in Q8_0 where llama.cpp has Q6_K.
 */
final class GgufForm implements ResultForm {
  private static final int QUANTIZATION_VERSION = 2;

  private final GgmlEncoding encoding;
  private final GgufDescription description;
  private final Optional<ObjectNode> tokenizer;
  private final Map<String, Object> metadata;
  private final List<PlannedTensor> plan = new ArrayList<>();
  private final Map<String, Place> places = new LinkedHashMap<>();

  /**
   * What a tensor is in the file.
   *
   * @param interleavedHeads as in {@link GgufLayout#interleavedHeads}
   */
  record Place(String name, GgmlType type, int interleavedHeads) {}

  private GgufForm(
      GgmlEncoding encoding,
      GgufDescription description,
      Optional<ObjectNode> tokenizer,
      Map<String, Object> metadata) {
    this.encoding = encoding;
    this.description = description;
    this.tokenizer = tokenizer;
    this.metadata = metadata;
  }

  /**
   * Plans the file.
   *
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_ARCHITECTURE, UNSUPPORTED_OPTION or
   *     MISSING_TENSOR
   */
  static GgufForm of(Checkpoint source, QuantizeRequest request, GgmlEncoding encoding) {
    GgufDescription description = GgufDescription.of(source.configuration());
    Optional<ObjectNode> tokenizer = source.tokenizerTree();
    Map<String, Object> metadata = new LinkedHashMap<>(description.keys());
    metadata.putAll(
        tokenizer
            .map(
                tree ->
                    GgufTokenizerWriter.keys(
                        tree, source.configuration(), description.vocabularySize()))
            .orElseGet(GgufTokenizerWriter::none));
    metadata.put("general.quantization_version", QUANTIZATION_VERSION);
    metadata.put("general.file_type", encoding.fileType());
    GgufForm form = new GgufForm(encoding, description, tokenizer, metadata);
    form.planTensors(source, request);
    return form;
  }

  private void planTensors(Checkpoint source, QuantizeRequest request) {
    LinearWeights linear = LinearWeights.of(source);
    SkippedModules skipped = new SkippedModules(linear, request.skipModules());
    Map<String, SourceTensor> rest = new LinkedHashMap<>();
    SourceTensor.of(source, linear).forEach(tensor -> rest.put(tensor.name(), tensor));
    boolean hasOutput = rest.containsKey("lm_head.weight") && !description.tiedEmbeddings();
    for (GgufDescription.Expected expected : description.tensors()) {
      SourceTensor tensor = take(rest, expected, source);
      plan(tensor, expected.name(), hasOutput, request, skipped);
    }
    if (hasOutput) {
      plan(rest.remove("lm_head.weight"), "lm_head.weight", true, request, skipped);
    }
    for (String name : rest.keySet()) {
      if (!description.leavesOut(name)) {
        throw unnamed(name);
      }
    }
    plan.sort(Comparator.comparing(PlannedTensor::name, QuantizePlan::byNumbers));
  }

  /** Other tensors of the same meaning go with it. */
  private static SourceTensor take(
      Map<String, SourceTensor> rest, GgufDescription.Expected expected, Checkpoint source) {
    List<SourceTensor> found =
        expected.accepted().stream()
            .filter(rest::containsKey)
            .distinct()
            .map(rest::remove)
            .toList();
    if (found.isEmpty()) {
      throw GraftException.failedPrecondition(
              "MISSING_TENSOR",
              "%s has no tensor %s".formatted(source.directory(), expected.name()))
          .with("tensor", expected.name());
    }
    return found.get(0);
  }

  private void plan(
      SourceTensor tensor,
      String name,
      boolean hasOutput,
      QuantizeRequest request,
      SkippedModules skipped) {
    GgufLayout layout = GgufLayout.of(description.family());
    String inGguf = layout.name(name).orElseThrow(() -> unnamed(tensor.name()));
    if (!tensor.type().isFloat16OrWider()) {
      throw GraftException.failedPrecondition(
              "UNSUPPORTED_OPTION",
              "tensor %s is stored as %s, which is no type of weights"
                  .formatted(tensor.name(), tensor.type()))
          .with("tensor", tensor.name());
    }
    StoredType own = tensor.type() == StoredType.F64 ? StoredType.F32 : tensor.type();
    StoredType cast = request.dataType().orElse(own);
    long[] shape = tensor.shape();
    GgmlType type;
    if (GgufLayout.isAlwaysF32(inGguf, shape.length)) {
      type = GgmlType.F32;
    } else if (request.skipModules().isPresent() && skipped.contains(tensor.name())) {
      type = GgmlType.valueOf(cast.name());
    } else if (shape[shape.length - 1] % encoding.type().blockValues() != 0) {
      type = GgmlType.F16;
    } else if (GgufLayout.isOutput(inGguf, !hasOutput)) {
      type = GgmlType.Q8_0;
    } else {
      type = encoding.type();
    }
    int heads = layout.interleavedHeads(inGguf, description.heads(), description.keyValueHeads());
    places.put(tensor.name(), new Place(inGguf, type, heads));
    plan.add(
        new PlannedTensor(
            tensor.name(), tensor.source(), shape, cast, false, type.plain().isEmpty()));
  }

  private static GraftException unnamed(String name) {
    return GraftException.failedPrecondition(
            "UNSUPPORTED_OPTION",
            "tensor %s has no name in GGUF, and would be lost; choose another scheme"
                .formatted(name))
        .with("tensor", name)
        .with("option", "tensor")
        .with("value", name);
  }

  @Override
  public List<PlannedTensor> plan() {
    return List.copyOf(plan);
  }

  @Override
  public ResultDraft begin(Path directory, FileOpener files, SourceReader reader)
      throws IOException {
    Optional<float[]> factors = description.frequencyFactors();
    List<GgufWriter.Tensor> tensors = new ArrayList<>();
    factors.ifPresent(
        values ->
            tensors.add(
                new GgufWriter.Tensor(
                    GgufLayout.FREQUENCY_FACTORS, GgmlType.F32, List.of((long) values.length))));
    for (PlannedTensor tensor : plan) {
      Place place = places.get(tensor.name());
      tensors.add(
          new GgufWriter.Tensor(
              place.name(), place.type(), Arrays.stream(tensor.shape()).boxed().toList()));
    }
    Path file = directory.resolve("model-" + encoding + ".gguf");
    GgufDraft draft =
        new GgufDraft(GgufWriter.create(file, files, metadata, tensors), places, reader);
    try {
      if (factors.isPresent()) {
        draft.writeFloats(GgufLayout.FREQUENCY_FACTORS, factors.get());
      }
      requireSame(Checkpoint.open(file));
      return draft;
    } catch (IOException | RuntimeException e) {
      draft.close();
      throw e;
    }
  }

  /** Before the work: whether what the header says is all that the source says. */
  private void requireSame(Checkpoint written) {
    description.requireSame(written.configuration());
    tokenizer.ifPresent(
        tree -> TokenizerComparison.requireSame(tree, written.tokenizerTree().orElseThrow()));
  }
}

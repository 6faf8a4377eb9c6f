package dev.graft.server.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A run of the transformers Trainer, recorded by src/test/python/make_training_fixtures.py. */
final class TrainerFixture {
  static final List<String> NAMES =
      List.of(
          "defaults",
          "each_step",
          "mlp",
          "mlp_relu",
          "mlp_silu",
          "mlp_tanh_no_bias",
          "accumulation",
          "linear_warmup_ratio",
          "cosine_warmup_steps",
          "constant",
          "constant_with_warmup_share",
          "clipping",
          "no_clipping",
          "label_smoothing",
          "class_weights",
          "class_weights_smoothing",
          "weight_decay",
          "sgd_momentum",
          "max_steps",
          "fractional_epochs",
          "shares",
          "eval_steps_from_logging_steps",
          "drop_last",
          "epoch_logs",
          "epoch_strategies_cut_by_max_steps",
          "early_stopping_steps",
          "early_stopping_epochs",
          "early_stopping_mid_epoch",
          "binary_cross_entropy",
          "binary_cross_entropy_weights",
          "mean_squared_error",
          "mean_squared_error_outputs",
          "cosine_embedding_pairs",
          "cosine_embedding_values",
          "info_nce",
          "info_nce_symmetric");

  private final Map<String, TensorData> tensors;
  private final JsonNode record;

  private TrainerFixture(Map<String, TensorData> tensors, JsonNode record) {
    this.tensors = tensors;
    this.record = record;
  }

  static TrainerFixture named(String name) {
    try (InputStream in =
        TrainerFixture.class.getResourceAsStream("/training/" + name + ".safetensors")) {
      Safetensors<TensorData> file =
          Safetensors.read(
              ByteBuffer.wrap(in.readAllBytes()),
              problem -> {
                throw new AssertionError(problem);
              });
      return new TrainerFixture(
          file.tensors(), new ObjectMapper().readTree(file.metadata().get("case")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  JsonNode record() {
    return record;
  }

  TrainingSpec spec() {
    return new TrainingSpec(projector(), objective(), arguments().build());
  }

  private ProjectorSpec projector() {
    JsonNode node = record.get("projector");
    List<Integer> hidden = new ArrayList<>();
    node.path("hidden_sizes").forEach(size -> hidden.add(size.asInt()));
    return new ProjectorSpec(
        ProjectorSpec.Kind.valueOf(node.get("kind").asText()),
        hidden,
        Activation.valueOf(node.path("activation").asText("GELU")),
        0,
        node.path("layer_norm").asBoolean(),
        record.get("objective").path("outputs").asInt(0),
        !node.path("no_bias").asBoolean());
  }

  Objective objective() {
    JsonNode node = record.get("objective");
    return switch (node.get("kind").asText()) {
      case "CROSS_ENTROPY" ->
          new Objective.CrossEntropy(
              node.get("num_classes").asInt(), floats(node.path("class_weights")));
      case "BINARY_CROSS_ENTROPY" ->
          new Objective.BinaryCrossEntropy(
              node.get("num_classes").asInt(), floats(node.path("positive_weights")));
      case "MEAN_SQUARED_ERROR" -> new Objective.MeanSquaredError();
      case "COSINE_EMBEDDING" -> new Objective.CosineEmbedding(node.get("margin").asDouble());
      case "INFO_NCE" ->
          new Objective.InfoNce(
              node.get("temperature").asDouble(), node.path("symmetric").asBoolean());
      default -> throw new AssertionError(node);
    };
  }

  private static List<Float> floats(JsonNode array) {
    List<Float> values = new ArrayList<>();
    array.forEach(value -> values.add((float) value.asDouble()));
    return values;
  }

  TrainingArgumentsBuilder arguments() {
    TrainingArgumentsBuilder builder = TrainingArguments.builder();
    record
        .get("arguments")
        .properties()
        .forEach(entry -> set(builder, entry.getKey(), entry.getValue()));
    return builder;
  }

  private static void set(TrainingArgumentsBuilder builder, String name, JsonNode value) {
    String upper = value.asText().toUpperCase(Locale.ROOT);
    switch (name) {
      case "learning_rate" -> builder.learningRate(value.asDouble());
      case "per_device_train_batch_size" -> builder.perDeviceTrainBatchSize(value.asInt());
      case "per_device_eval_batch_size" -> builder.perDeviceEvalBatchSize(value.asInt());
      case "num_train_epochs" -> builder.numTrainEpochs(value.asDouble());
      case "max_steps" -> builder.maxSteps(value.asLong());
      case "gradient_accumulation_steps" -> builder.gradientAccumulationSteps(value.asInt());
      case "weight_decay" -> builder.weightDecay(value.asDouble());
      case "adam_beta1" -> builder.adamBeta1(value.asDouble());
      case "adam_beta2" -> builder.adamBeta2(value.asDouble());
      case "adam_epsilon" -> builder.adamEpsilon(value.asDouble());
      case "max_grad_norm" -> builder.maxGradNorm(value.asDouble());
      case "lr_scheduler_type" -> builder.lrSchedulerType(LrSchedulerType.valueOf(upper));
      case "warmup_steps" -> builder.warmupSteps(value.asDouble());
      case "warmup_ratio" -> builder.warmupRatio(value.asDouble());
      case "optim" -> builder.optim(Optimizer.valueOf(upper));
      case "momentum" -> builder.momentum(value.asDouble());
      case "logging_steps" -> builder.loggingSteps(value.asDouble());
      case "logging_strategy" -> builder.loggingStrategy(IntervalStrategy.valueOf(upper));
      case "logging_first_step" -> builder.loggingFirstStep(value.asBoolean());
      case "eval_strategy" -> builder.evalStrategy(IntervalStrategy.valueOf(upper));
      case "eval_steps" -> builder.evalSteps(value.asDouble());
      case "save_strategy" -> builder.saveStrategy(IntervalStrategy.valueOf(upper));
      case "save_steps" -> builder.saveSteps(value.asDouble());
      case "label_smoothing_factor" -> builder.labelSmoothingFactor(value.asDouble());
      case "dataloader_drop_last" -> builder.dataloaderDropLast(value.asBoolean());
      case "train_sampling_strategy" ->
          builder.trainSamplingStrategy(TrainSamplingStrategy.valueOf(upper));
      case "load_best_model_at_end" -> builder.loadBestModelAtEnd(value.asBoolean());
      case "metric_for_best_model" -> builder.metricForBestModel(value.asText());
      case "greater_is_better" -> builder.greaterIsBetter(value.asBoolean());
      case "early_stopping_patience" -> builder.earlyStoppingPatience(value.asInt());
      case "early_stopping_threshold" -> builder.earlyStoppingThreshold(value.asDouble());
      default -> throw new AssertionError(name);
    }
  }

  FeatureDataset train() {
    return dataset("train.");
  }

  FeatureDataset eval() {
    return tensors.containsKey("eval.features") ? dataset("eval.") : FeatureDataset.empty();
  }

  private FeatureDataset dataset(String prefix) {
    FeatureCollector collector =
        new FeatureCollector(
            "items",
            objective(),
            spec().projector().outputSize(),
            new FeatureMemory(Long.MAX_VALUE).open());
    float[][] features = rows(tensors.get(prefix + "features"));
    TensorData pairs = tensors.get(prefix + "pairs");
    for (int i = 0; i < features.length; i++) {
      collector.add(
          new TrainingItem(i, Optional.of(label(prefix, i)), pairs != null, new byte[] {(byte) i}));
    }
    for (int i = features.length - 1; i >= 0; i--) {
      collector.put(i, features[i]);
      if (pairs != null) {
        collector.putPair(i, rows(pairs)[i]);
      }
    }
    return collector.finish();
  }

  private Label label(String prefix, int item) {
    TensorData labels = tensors.get(prefix + "labels");
    if (labels.type() == StoredType.I64) {
      return new Label.ClassIndex(labels.bytes().asLongBuffer().get(item));
    }
    float[] row = rows(labels)[item];
    if (!(objective() instanceof Objective.BinaryCrossEntropy)) {
      return new Label.Values(row);
    }
    long[] set =
        java.util.stream.IntStream.range(0, row.length)
            .filter(i -> row[i] > 0)
            .asLongStream()
            .toArray();
    return new Label.ClassSet(set);
  }

  private static float[][] rows(TensorData matrix) {
    float[] values = matrix.toFloats();
    int size = (int) matrix.shape()[1];
    float[][] rows = new float[(int) matrix.shape()[0]][size];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(values, i * size, rows[i], 0, size);
    }
    return rows;
  }

  /** The starting weights' file. */
  byte[] initialProjector() {
    List<TensorData> initial = new ArrayList<>();
    withPrefix("initial.")
        .forEach((name, t) -> initial.add(TensorData.floats(name, t.toFloats(), t.shape())));
    return SafetensorsWriter.toBytes(initial, Map.of());
  }

  Map<String, TensorData> finalWeights() {
    return withPrefix("final.");
  }

  private Map<String, TensorData> withPrefix(String prefix) {
    Map<String, TensorData> found = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          if (name.startsWith(prefix)) {
            found.put(name.substring(prefix.length()), tensor);
          }
        });
    return found;
  }
}

package dev.graft.server.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.SafetensorsWriter;
import dev.graft.server.checkpoints.TensorData;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that a run needs to go on: one safetensors file with tensors {@code projector.*}, {@code
 * optimizer.exp_avg.*} and so on, {@code best.*}, and in its metadata the {@link Progress} and a
 * fingerprint of spec and data.
 *
 * @param optimizerState by torch's name for it, then by parameter
 * @param best weights of the best evaluation; empty where they are not kept
 */
record TrainingCheckpoint(
    Progress progress,
    Map<String, float[]> weights,
    Map<String, Map<String, float[]>> optimizerState,
    Map<String, float[]> best) {
  private static final String FORMAT = "graft.training_checkpoint";
  private static final String VERSION = "1";
  private static final String FINGERPRINT = "graft.fingerprint";
  private static final String PROGRESS = "graft.progress";
  private static final String PROJECTOR_PREFIX = "projector.";
  private static final String BEST_PREFIX = "best.";

  private static final JsonMapper JSON = new JsonMapper();

  /** Before the first step. */
  static TrainingCheckpoint initial(Optimizer optimizer, Map<String, float[]> weights) {
    Map<String, Map<String, float[]>> state = new LinkedHashMap<>();
    for (String name : optimizer.stateNames()) {
      Map<String, float[]> zeros = new LinkedHashMap<>();
      weights.forEach((parameter, values) -> zeros.put(parameter, new float[values.length]));
      state.put(name, zeros);
    }
    return new TrainingCheckpoint(new Progress(), weights, state, Map.of());
  }

  byte[] toBytes(Projector projector, String fingerprint) {
    List<TensorData> tensors =
        new ArrayList<>(ProjectorWeights.tensors(projector, PROJECTOR_PREFIX, weights));
    optimizerState.forEach(
        (name, values) ->
            tensors.addAll(ProjectorWeights.tensors(projector, prefixOf(name), values)));
    if (!best.isEmpty()) {
      tensors.addAll(ProjectorWeights.tensors(projector, BEST_PREFIX, best));
    }
    try {
      return SafetensorsWriter.toBytes(
          tensors,
          Map.of(
              "format",
              "pt",
              FORMAT,
              VERSION,
              FINGERPRINT,
              fingerprint,
              PROGRESS,
              JSON.writeValueAsString(progress)));
    } catch (JsonProcessingException e) {
      throw new AssertionError("Progress is plain numbers", e);
    }
  }

  /**
   * Reads a checkpoint of this very job.
   *
   * @throws GraftException INVALID_ARGUMENT (WRONG_CHECKPOINT)
   */
  static TrainingCheckpoint read(
      byte[] file,
      Projector projector,
      TrainingArguments arguments,
      String fingerprint,
      TrainingPlan plan) {
    Safetensors<TensorData> parsed = parse(file);
    if (!fingerprint.equals(parsed.metadata().get(FINGERPRINT))) {
      throw wrong(
          "It was made with another spec, other items or another order of them. Send exactly what that run was sent,"
              + " or start anew without checkpoint");
    }
    Progress progress = progress(parsed.metadata().getOrDefault(PROGRESS, ""), arguments, plan);
    return of(parsed, progress, projector, arguments.optim());
  }

  /** Refuses what no job with this projector has made; without one, what no job has made. */
  static void check(byte[] file, Optional<Projector> projector, TrainingArguments arguments) {
    Safetensors<TensorData> parsed = parse(file);
    projector.ifPresent(known -> of(parsed, new Progress(), known, arguments.optim()));
  }

  private static Safetensors<TensorData> parse(byte[] file) {
    Safetensors<TensorData> parsed =
        Safetensors.read(ByteBuffer.wrap(file), problem -> wrong("The file " + problem));
    if (!VERSION.equals(parsed.metadata().get(FORMAT))) {
      throw wrong("The file is no checkpoint of a training run, or one of another version");
    }
    return parsed;
  }

  private static TrainingCheckpoint of(
      Safetensors<TensorData> parsed, Progress progress, Projector projector, Optimizer optimizer) {
    try {
      Map<String, float[]> weights = take(projector, PROJECTOR_PREFIX, parsed);
      Map<String, Map<String, float[]>> state = new LinkedHashMap<>();
      for (String name : optimizer.stateNames()) {
        state.put(name, take(projector, prefixOf(name), parsed));
      }
      boolean hasBest = parsed.tensors().keySet().stream().anyMatch(n -> n.startsWith(BEST_PREFIX));
      return new TrainingCheckpoint(
          progress, weights, state, hasBest ? take(projector, BEST_PREFIX, parsed) : Map.of());
    } catch (GraftException e) {
      throw wrong(e.getMessage()).causedBy(e);
    }
  }

  private static Map<String, float[]> take(
      Projector projector, String prefix, Safetensors<TensorData> file) {
    return ProjectorWeights.take(projector, prefix, file.tensors());
  }

  private static String prefixOf(String stateName) {
    return "optimizer." + stateName + ".";
  }

  private static Progress progress(String json, TrainingArguments arguments, TrainingPlan plan) {
    Progress progress;
    try {
      progress = JSON.readValue(json, Progress.class);
    } catch (JsonProcessingException e) {
      throw wrong("Its progress cannot be read").causedBy(e);
    }
    if (progress == null || !progress.fits(plan, arguments.evalStrategy() != IntervalStrategy.NO)) {
      throw wrong("Its progress is impossible for this job");
    }
    return progress;
  }

  private static GraftException wrong(String problem) {
    return GraftException.invalidArgument(
        "WRONG_CHECKPOINT", "The checkpoint cannot be resumed: " + problem + ".");
  }
}

package dev.graft.server.rpc;

import dev.graft.server.jobs.ItemPlace;
import dev.graft.server.jobs.ParameterAudit;
import dev.graft.server.jobs.TrainItem;
import dev.graft.server.jobs.TrainJob;
import dev.graft.server.training.Label;
import dev.graft.server.training.Objective;
import dev.graft.server.training.ParameterInfo;
import dev.graft.server.training.TrainingResult;
import dev.graft.server.training.TrainingStarted;
import dev.graft.v1.BinaryCrossEntropy;
import dev.graft.v1.CosineEmbedding;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.Evaluation;
import dev.graft.v1.ExtractionProgress;
import dev.graft.v1.InfoNce;
import dev.graft.v1.Item;
import dev.graft.v1.LogEntry;
import dev.graft.v1.MeanSquaredError;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainingProgress;
import java.util.List;
import java.util.Optional;

/** Translates objectives, items and events of {@code train.proto}. */
final class TrainingMessages {
  private TrainingMessages() {}

  static Objective objective(dev.graft.v1.Objective objective) {
    return switch (objective.getKindCase()) {
      case CROSS_ENTROPY ->
          new Objective.CrossEntropy(
              objective.getCrossEntropy().getNumClasses(),
              objective.getCrossEntropy().getClassWeightsList());
      case BINARY_CROSS_ENTROPY ->
          new Objective.BinaryCrossEntropy(
              objective.getBinaryCrossEntropy().getNumClasses(),
              objective.getBinaryCrossEntropy().getPositiveWeightsList());
      case MEAN_SQUARED_ERROR -> new Objective.MeanSquaredError();
      case COSINE_EMBEDDING ->
          new Objective.CosineEmbedding(objective.getCosineEmbedding().getMargin());
      case INFO_NCE -> {
        float temperature = objective.getInfoNce().getTemperature();
        yield new Objective.InfoNce(
            temperature == 0 ? Objective.InfoNce.DEFAULT_TEMPERATURE : temperature,
            objective.getInfoNce().getSymmetric());
      }
      case KIND_NOT_SET ->
          throw FeatureMessages.invalid(
              "objective",
              "is unset: say what is minimized, for example cross_entropy with num_classes");
    };
  }

  static dev.graft.v1.Objective message(Objective objective) {
    dev.graft.v1.Objective.Builder message = dev.graft.v1.Objective.newBuilder();
    if (objective instanceof Objective.CrossEntropy known) {
      message.setCrossEntropy(
          CrossEntropy.newBuilder()
              .setNumClasses(known.numClasses())
              .addAllClassWeights(known.classWeights()));
    } else if (objective instanceof Objective.BinaryCrossEntropy known) {
      message.setBinaryCrossEntropy(
          BinaryCrossEntropy.newBuilder()
              .setNumClasses(known.numClasses())
              .addAllPositiveWeights(known.positiveWeights()));
    } else if (objective instanceof Objective.MeanSquaredError) {
      message.setMeanSquaredError(MeanSquaredError.getDefaultInstance());
    } else if (objective instanceof Objective.CosineEmbedding known) {
      message.setCosineEmbedding(CosineEmbedding.newBuilder().setMargin((float) known.margin()));
    } else if (objective instanceof Objective.InfoNce known) {
      message.setInfoNce(
          InfoNce.newBuilder()
              .setTemperature((float) known.temperature())
              .setSymmetric(known.symmetric()));
    } else {
      throw new AssertionError("Unknown objective " + objective);
    }
    return message.build();
  }

  /**
   * @param field name of the message that carries the item, for errors
   */
  static TrainItem item(Item item, String field) {
    ItemPlace place = ItemPlace.content(field, item.getNumber());
    return new TrainItem(
        item.getNumber(),
        FeatureMessages.content(item.getContent(), place),
        item.hasPair()
            ? Optional.of(
                FeatureMessages.content(item.getPair(), ItemPlace.pair(field, item.getNumber())))
            : Optional.empty(),
        item.hasLabel() ? Optional.of(label(item.getLabel(), place)) : Optional.empty());
  }

  private static Label label(dev.graft.v1.Label label, ItemPlace place) {
    return switch (label.getKindCase()) {
      case CLASS_INDEX -> new Label.ClassIndex(Integer.toUnsignedLong(label.getClassIndex()));
      case CLASS_SET ->
          new Label.ClassSet(
              label.getClassSet().getClassIndicesList().stream()
                  .mapToLong(Integer::toUnsignedLong)
                  .toArray());
      case VALUES -> new Label.Values(floats(label.getValues().getValuesList()));
      case KIND_NOT_SET ->
          throw place.labelError(
              "LABEL_MISSING", "has an empty label: give class_index, class_set or values");
    };
  }

  private static float[] floats(List<Float> values) {
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = values.get(i);
    }
    return array;
  }

  static dev.graft.v1.ParameterAudit message(ParameterAudit audit) {
    dev.graft.v1.ParameterAudit.Builder message =
        dev.graft.v1.ParameterAudit.newBuilder()
            .setTrainableParameters(
                audit.trainable().stream().mapToLong(ParameterInfo::count).sum())
            .setFrozenTensors(audit.frozenTensors())
            .setFrozenParameters(audit.frozenParameters())
            .setFrozenDigest(audit.frozenDigest());
    audit
        .trainable()
        .forEach(
            parameter ->
                message.addTrainable(
                    dev.graft.v1.ParameterInfo.newBuilder()
                        .setName(parameter.name())
                        .addAllShape(parameter.shape())));
    return message.build();
  }

  static ExtractionProgress message(TrainJob.ExtractionProgress progress) {
    return ExtractionProgress.newBuilder()
        .setItemsDone(progress.itemsDone())
        .setItemsReceived(progress.itemsReceived())
        .setTokens(progress.tokens())
        .setTruncatedItems(progress.truncatedItems())
        .build();
  }

  static dev.graft.v1.TrainingStarted message(TrainingStarted started, long truncatedItems) {
    return dev.graft.v1.TrainingStarted.newBuilder()
        .setTrainItems(started.trainItems())
        .setEvalItems(started.evalItems())
        .setTotalSteps(started.totalSteps())
        .setFirstStep(started.firstStep())
        .setTruncatedItems(truncatedItems)
        .build();
  }

  static TrainingProgress message(dev.graft.server.training.TrainingProgress progress) {
    return TrainingProgress.newBuilder()
        .setStep(progress.step())
        .setEpoch(progress.epoch())
        .setLoss(progress.loss())
        .build();
  }

  static LogEntry message(dev.graft.server.training.LogEntry entry) {
    return LogEntry.newBuilder()
        .setStep(entry.step())
        .setEpoch(entry.epoch())
        .setLoss(entry.loss())
        .setGradNorm(entry.gradNorm())
        .setLearningRate(entry.learningRate())
        .build();
  }

  static Evaluation message(dev.graft.server.training.Evaluation evaluation) {
    return Evaluation.newBuilder()
        .setStep(evaluation.step())
        .setEpoch(evaluation.epoch())
        .putAllMetrics(evaluation.metrics())
        .build();
  }

  static TrainResult message(TrainJob.Finished finished, String projectorSha256) {
    TrainingResult result = finished.result();
    return TrainResult.newBuilder()
        .setStep(result.step())
        .setEpoch(result.epoch())
        .setTrainLoss(result.trainLoss())
        .setTrainRuntimeSeconds(finished.trainSeconds())
        .setExtractionSeconds(finished.extractionSeconds())
        .setTokens(finished.tokens())
        .setAudit(message(finished.audit()))
        .setStopReason(result.stopReason())
        .setBestStep(result.bestStep())
        .setProjectorSha256(projectorSha256)
        .build();
  }
}

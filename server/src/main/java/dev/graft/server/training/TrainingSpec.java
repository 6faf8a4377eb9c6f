package dev.graft.server.training;

import dev.graft.server.GraftException;
import java.util.List;
import java.util.Optional;

/** What to train, what to minimize, how. */
public record TrainingSpec(
    ProjectorSpec projector, Objective objective, TrainingArguments arguments) {

  /** Checks what can be checked without data. */
  public TrainingSpec {
    Loss loss = Loss.of(objective, arguments.labelSmoothingFactor());
    int needed = classes(objective);
    InvalidField.check(
        needed == 0 || projector.outputSize() == 0 || projector.outputSize() == needed,
        "output_size",
        "must be 0 or the number of classes, " + needed,
        projector.outputSize());
    String metric = arguments.comparedMetric();
    InvalidField.check(
        !arguments.comparesEvaluations()
            || metric.equals("eval_loss")
            || loss.metrics().contains(metric),
        "metric_for_best_model",
        "must be loss or one of " + loss.metrics(),
        arguments.metricForBestModel());
  }

  /** A spec whose projector may be left out, which is refused with the ways out. */
  public static TrainingSpec of(
      Optional<ProjectorSpec> projector, Objective objective, TrainingArguments arguments) {
    return new TrainingSpec(
        projector.orElseThrow(TrainingSpec::nothingToTrain), objective, arguments);
  }

  /**
   * The spec with the sizes of the projector that are known: they follow from the features' size,
   * and for objectives without classes from the labels.
   *
   * @param vectorSize size of the vectors that items should be mapped to; 0 if there are none, or
   *     while it is unknown
   */
  public TrainingSpec resolved(int featureSize, int vectorSize) {
    int needed = classes(objective);
    if (needed == 0) {
      boolean free = vectorSize == 0 && !(objective instanceof Objective.MeanSquaredError);
      needed = free ? featureSize : vectorSize;
    }
    return new TrainingSpec(projector.resolved(featureSize, needed), objective, arguments);
  }

  /**
   * The shape of the projector with the sizes that are known before there are labels; those that
   * are not are 0, or none.
   *
   * @param featureSize 0 while it is unknown
   */
  public ProjectorSpec knownShape(int featureSize) {
    int classes = classes(objective);
    return projector.resolved(
        featureSize, objective instanceof Objective.InfoNce ? featureSize : classes);
  }

  /**
   * Every tensor that trains, where its sizes are known before there are labels; otherwise none.
   *
   * @param featureSize 0 while it is unknown
   */
  public List<ParameterInfo> knownParameters(int featureSize) {
    return knownProjector(featureSize).map(Projector::parameters).orElse(List.of());
  }

  /** Likewise the projector. */
  Optional<Projector> knownProjector(int featureSize) {
    ProjectorSpec shape = knownShape(featureSize);
    return featureSize > 0 && shape.outputSize() > 0
        ? Optional.of(new Projector(shape, featureSize))
        : Optional.empty();
  }

  private static int classes(Objective objective) {
    if (objective instanceof Objective.CrossEntropy crossEntropy) {
      return crossEntropy.numClasses();
    }
    return objective instanceof Objective.BinaryCrossEntropy binary ? binary.numClasses() : 0;
  }

  private static GraftException nothingToTrain() {
    return GraftException.invalidArgument(
        "NOTHING_TO_TRAIN",
        "Nothing would train: the backbone is frozen, and the spec has no projector. Set projector.kind to LINEAR or"
            + " MLP to train one on the backbone's features.");
  }
}

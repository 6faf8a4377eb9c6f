package dev.graft.cli;

import dev.graft.cli.items.Classes;
import dev.graft.cli.items.ObjectiveKind;
import dev.graft.cli.items.Targets;
import dev.graft.v1.BinaryCrossEntropy;
import dev.graft.v1.CosineEmbedding;
import dev.graft.v1.CrossEntropy;
import dev.graft.v1.InfoNce;
import dev.graft.v1.MeanSquaredError;
import dev.graft.v1.Objective;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What is minimized. */
final class ObjectiveOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--objective",
      paramLabel = "NAME",
      converter = Choice.OfObjective.class,
      completionCandidates = Choice.OfObjective.class,
      description = {
        "What is minimized: ${COMPLETION-CANDIDATES}.",
        "Default: what the labels are. Strings and whole numbers: cross_entropy; lists of them: "
            + "binary_cross_entropy; other numbers and lists of them: mean_squared_error; no labels but pairs: info_nce."
      })
  private Optional<ObjectiveKind> kind = Optional.empty();

  @Option(
      names = "--class-weights",
      paramLabel = "WEIGHT",
      split = ",",
      description =
          "A weight for each class, in the classes' order (names sorted), with commas between. For binary_cross_entropy, of the positive items.")
  private List<Float> classWeights = List.of();

  @Option(
      names = "--temperature",
      paramLabel = "NUMBER",
      description = "info_nce: what similarities are divided by. Default: 0.05.")
  private Optional<Float> temperature = Optional.empty();

  @Option(
      names = "--symmetric",
      description = "info_nce: adds the same loss from the pairs to the items.")
  private boolean symmetric;

  @Option(
      names = "--margin",
      paramLabel = "NUMBER",
      description = "cosine_embedding: margin, from -1 to 1. Default: 0.")
  private Optional<Float> margin = Optional.empty();

  Optional<ObjectiveKind> kind() {
    return kind;
  }

  /** The objective for the classes that the training items have. */
  Objective toProto(Targets targets) {
    ObjectiveKind chosen = targets.objective();
    requireFitting(chosen);
    Objective.Builder objective = Objective.newBuilder();
    switch (chosen) {
      case CROSS_ENTROPY ->
          objective.setCrossEntropy(
              CrossEntropy.newBuilder()
                  .setNumClasses(classes(targets).size())
                  .addAllClassWeights(weights(targets)));
      case BINARY_CROSS_ENTROPY ->
          objective.setBinaryCrossEntropy(
              BinaryCrossEntropy.newBuilder()
                  .setNumClasses(classes(targets).size())
                  .addAllPositiveWeights(weights(targets)));
      case MEAN_SQUARED_ERROR ->
          objective.setMeanSquaredError(MeanSquaredError.getDefaultInstance());
      case COSINE_EMBEDDING ->
          objective.setCosineEmbedding(CosineEmbedding.newBuilder().setMargin(margin.orElse(0f)));
      case INFO_NCE ->
          objective.setInfoNce(
              InfoNce.newBuilder().setTemperature(temperature.orElse(0f)).setSymmetric(symmetric));
    }
    return objective.build();
  }

  private static Classes classes(Targets targets) {
    return targets.classes().orElseThrow();
  }

  private List<Float> weights(Targets targets) {
    Classes classes = classes(targets);
    if (!classWeights.isEmpty() && classWeights.size() != classes.size()) {
      throw new ParameterException(
          spec.commandLine(),
          "--class-weights has %d weights, the training items have %d classes: %s"
              .formatted(classWeights.size(), classes.size(), String.join(", ", classes.names())));
    }
    return classWeights;
  }

  private void requireFitting(ObjectiveKind chosen) {
    boolean hasClasses =
        chosen == ObjectiveKind.CROSS_ENTROPY || chosen == ObjectiveKind.BINARY_CROSS_ENTROPY;
    require(classWeights.isEmpty() || hasClasses, "--class-weights", chosen);
    require(temperature.isEmpty() || chosen == ObjectiveKind.INFO_NCE, "--temperature", chosen);
    require(!symmetric || chosen == ObjectiveKind.INFO_NCE, "--symmetric", chosen);
    require(margin.isEmpty() || chosen == ObjectiveKind.COSINE_EMBEDDING, "--margin", chosen);
  }

  private void require(boolean fits, String option, ObjectiveKind chosen) {
    if (!fits) {
      throw new ParameterException(
          spec.commandLine(), option + " has no meaning for the objective " + chosen);
    }
  }
}

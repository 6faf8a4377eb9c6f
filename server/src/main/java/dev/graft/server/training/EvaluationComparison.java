package dev.graft.server.training;

/** Finds the best evaluation, and stops early, as Trainer and EarlyStoppingCallback do. */
record EvaluationComparison(TrainingArguments arguments) {

  /** Takes an evaluation; true if it is the best so far. */
  boolean improves(Evaluation evaluation, Progress progress) {
    if (!arguments.comparesEvaluations()) {
      return false;
    }
    Double value = evaluation.metrics().get(arguments.comparedMetric());
    if (value == null) {
      throw InvalidField.of(
          "metric_for_best_model",
          arguments.comparedMetric() + " has no meaning for these eval items");
    }
    Double best = progress.bestMetric;
    boolean better = best == null || (arguments.greaterIsBetter() ? value > best : value < best);
    boolean clearly = best == null || Math.abs(value - best) > arguments.earlyStoppingThreshold();
    progress.withoutImprovement = better && clearly ? 0 : progress.withoutImprovement + 1;
    if (better) {
      progress.bestMetric = value;
      progress.bestStep = progress.step;
    }
    return better;
  }

  boolean stops(Progress progress) {
    return arguments.earlyStoppingPatience() > 0
        && progress.withoutImprovement >= arguments.earlyStoppingPatience();
  }
}

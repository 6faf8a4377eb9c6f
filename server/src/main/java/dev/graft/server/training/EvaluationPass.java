package dev.graft.server.training;

import java.util.Map;
import java.util.TreeMap;

/** An evaluation in the making, some batches at a time. */
final class EvaluationPass {
  /** Items after which others may have a turn; at least one batch. */
  private static final int ITEMS_AT_ONCE = 1024;

  private final Measurement measurement;
  private final int batchSize;
  private final int items;
  private int next;
  private double lossSum;

  EvaluationPass(TrainingSpec spec, FeatureDataset eval) {
    TrainingArguments arguments = spec.arguments();
    this.measurement =
        Loss.of(spec.objective(), arguments.labelSmoothingFactor()).measurement(eval);
    this.batchSize = Math.min(arguments.perDeviceEvalBatchSize(), eval.items());
    this.items =
        arguments.dataloaderDropLast() ? eval.items() / batchSize * batchSize : eval.items();
  }

  /** Evaluates some more batches; true when all are done. */
  boolean advance(ProjectorTrainer trainer) {
    int end = Math.min(items, next + Math.max(1, ITEMS_AT_ONCE / batchSize) * batchSize);
    ProjectorTrainer.Evaluated evaluated = trainer.evaluate(next, end);
    measurement.add(evaluated.measured(), next);
    for (float loss : evaluated.losses()) {
      int batch = Math.min(batchSize, end - next);
      lossSum += (double) loss * batch;
      next += batch;
    }
    return next == items;
  }

  /** The loss is the mean over items of the mean loss of their batch, as in the Trainer. */
  Map<String, Double> metrics() {
    Map<String, Double> metrics = new TreeMap<>(measurement.metrics(items));
    metrics.put("eval_loss", lossSum / items);
    return metrics;
  }
}

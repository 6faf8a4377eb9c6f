package dev.graft.server.training;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Where a run stands, apart from its tensors: all that a checkpoint's metadata holds. The fields'
 * names are part of the checkpoint's format.
 */
@JsonAutoDetect(fieldVisibility = Visibility.ANY)
@JsonPropertyOrder(alphabetic = true)
final class Progress {
  /** What is to be done before the next optimizer step. */
  enum Action {
    LOG,
    EVALUATE,
    SAVE,
    /** Does what the epoch's end asks for. */
    END_EPOCH,
    /** Begins the next epoch, or ends the run. */
    NEXT_EPOCH,
    FINISHED
  }

  /** Optimizer steps done. */
  long step;

  /** Epochs done before the present one. */
  long epoch;

  /** Batches of the present epoch that are done. */
  long batch;

  /** Sum of the losses of the steps since the last log entry. */
  double lossSum;

  /** Sum of the losses of the steps before. */
  double loggedLossSum;

  /** Step of the last log entry. */
  long loggedStep;

  /** Of the last step. */
  double gradNorm;

  double learningRate;

  /** The best value so far of the metric that evaluations are compared by; null before any. */
  Double bestMetric;

  long bestStep;

  /** Evaluations in a row without improvement. */
  int withoutImprovement;

  boolean stoppedEarly;

  Deque<Action> agenda = new ArrayDeque<>();

  /** Whether a run of this plan can stand here. */
  boolean fits(TrainingPlan plan, boolean evaluates) {
    return step >= 0
        && step <= plan.totalSteps()
        && epoch >= 0
        && epoch < plan.epochs()
        && batch >= 0
        && batch <= plan.batchesPerEpoch()
        && loggedStep >= 0
        && loggedStep <= step
        && bestStep >= 0
        && bestStep <= step
        && withoutImprovement >= 0
        && agenda != null
        && !agenda.contains(Action.FINISHED)
        && (evaluates || !agenda.contains(Action.EVALUATE))
        && (!agenda.isEmpty() || (step < plan.totalSteps() && batch < plan.batchesPerEpoch()));
  }
}

package dev.graft.server.training;

import dev.graft.server.training.Progress.Action;

/**
 * Says what follows a step, and the end of an epoch, as transformers' DefaultFlowCallback does: it
 * goes on the agenda, in the Trainer's order.
 */
record FlowControl(TrainingArguments arguments, TrainingPlan plan) {
  /** As on_step_end. */
  void afterStep(Progress progress) {
    boolean last = progress.step >= plan.totalSteps();
    if (due(arguments.loggingStrategy(), plan.loggingInterval(), progress)
        || (progress.step == 1 && arguments.loggingFirstStep())) {
      progress.agenda.add(Action.LOG);
    }
    if (due(arguments.evalStrategy(), plan.evalInterval(), progress)
        || (last && arguments.evalStrategy() == IntervalStrategy.STEPS)) {
      progress.agenda.add(Action.EVALUATE);
    }
    if (due(arguments.saveStrategy(), plan.saveInterval(), progress)
        || (last && arguments.saveStrategy() == IntervalStrategy.STEPS)) {
      progress.agenda.add(Action.SAVE);
    }
    if (last || progress.batch >= plan.batchesPerEpoch()) {
      progress.agenda.add(Action.END_EPOCH);
    }
  }

  private static boolean due(IntervalStrategy strategy, long interval, Progress progress) {
    return strategy == IntervalStrategy.STEPS && interval > 0 && progress.step % interval == 0;
  }

  /** As on_epoch_end; an epoch ends also where training stops within it. */
  void afterEpoch(Progress progress) {
    if (arguments.loggingStrategy() == IntervalStrategy.EPOCH) {
      progress.agenda.add(Action.LOG);
    }
    if (arguments.evalStrategy() == IntervalStrategy.EPOCH) {
      progress.agenda.add(Action.EVALUATE);
    }
    if (arguments.saveStrategy() == IntervalStrategy.EPOCH) {
      progress.agenda.add(Action.SAVE);
    }
    progress.agenda.add(Action.NEXT_EPOCH);
  }
}

package dev.graft.server.training;

import dev.graft.server.GraftException;
import dev.graft.server.torch.TorchDevice;
import dev.graft.server.training.Progress.Action;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * A training run, made one step at a time by whatever thread calls {@link #step}. Calls must not
 * overlap, but for {@link #requestCheckpoint}.
 *
 * <p>The order of things is that of Trainer._inner_training_loop: after an optimizer step it logs,
 * evaluates, saves, as each is due; so it does again at the end of an epoch, also of one that is
 * cut short.
 */
public final class TrainingRun implements AutoCloseable {
  private final TrainingSpec spec;
  private FeatureDataset train;
  private FeatureDataset eval;
  private final TorchDevice device;
  private final Projector projector;
  private final TrainingPlan plan;
  private final FlowControl flow;
  private final LearningRateSchedule schedule;
  private final String fingerprint;
  private final Progress progress;
  private final long firstStep;
  private final EvaluationComparison comparison;

  /** Where training starts, until the first step puts it on the device. */
  private TrainingCheckpoint start;

  private Map<String, float[]> best;
  private ProjectorTrainer trainer;
  private EpochOrder order;
  private EvaluationPass evaluation;
  private double lastLoss; // before the first step of a resumed run, the mean of those before it
  private volatile boolean checkpointRequested;

  private TrainingRun(
      TorchDevice device, PreparedRun prepared, FeatureDataset train, FeatureDataset eval) {
    this.device = device;
    this.train = train;
    this.eval = eval;
    this.spec = prepared.spec();
    this.projector = prepared.projector();
    this.plan = prepared.plan();
    this.fingerprint = prepared.fingerprint();
    this.start = prepared.start();
    TrainingArguments arguments = spec.arguments();
    this.flow = new FlowControl(arguments, plan);
    this.schedule =
        new LearningRateSchedule(
            arguments.lrSchedulerType(),
            arguments.learningRate(),
            plan.warmupSteps(),
            plan.totalSteps());
    this.progress = start.progress();
    this.best = start.best();
    this.firstStep = progress.step;
    this.lastLoss = (progress.loggedLossSum + progress.lossSum) / Math.max(1, progress.step);
    this.comparison = new EvaluationComparison(arguments);
  }

  /**
   * Prepares a run; nothing is computed yet.
   *
   * @param eval may be empty where nothing evaluates
   * @param initialProjector a safetensors file of starting weights, or empty: drawn from the seed
   * @param checkpoint of this very job to go on from, or empty
   * @throws GraftException INVALID_ARGUMENT: EMPTY_DATASET, FEATURE_SIZE, LABEL_KIND, PAIR_MISSING,
   *     WRONG_WEIGHTS, WRONG_CHECKPOINT, INVALID_FIELD
   */
  public static TrainingRun prepare(
      TorchDevice device,
      TrainingSpec spec,
      FeatureDataset train,
      FeatureDataset eval,
      Optional<byte[]> initialProjector,
      Optional<byte[]> checkpoint) {
    byte[] none = {};
    PreparedRun prepared =
        PreparedRun.of(
            device, spec, train, eval, initialProjector.orElse(none), checkpoint.orElse(none));
    return new TrainingRun(device, prepared, train, eval);
  }

  /**
   * Checks files before there is data, so that no work is done in vain: what they are and, where
   * the projector's sizes are known, their tensors.
   *
   * @param featureSize 0 while it is unknown
   * @throws GraftException INVALID_ARGUMENT: WRONG_WEIGHTS, WRONG_CHECKPOINT
   */
  public static void checkFiles(
      TrainingSpec spec,
      int featureSize,
      Optional<byte[]> initialProjector,
      Optional<byte[]> checkpoint) {
    Optional<Projector> projector = spec.knownProjector(featureSize);
    initialProjector.ifPresent(file -> ProjectorWeights.check(file, projector));
    checkpoint.ifPresent(file -> TrainingCheckpoint.check(file, projector, spec.arguments()));
  }

  /** The spec with every size. */
  public TrainingSpec spec() {
    return spec;
  }

  /** Every tensor that trains. */
  public List<ParameterInfo> parameters() {
    return projector.parameters();
  }

  public long totalSteps() {
    return plan.totalSteps();
  }

  /** Asks for a checkpoint after the current step, from any thread. */
  public void requestCheckpoint() {
    checkpointRequested = true;
  }

  /**
   * Makes one optimizer step, or a part of an evaluation, with what follows from it.
   *
   * @return whether there is more to do
   * @throws GraftException ABORTED (NON_FINITE_LOSS), after a checkpoint
   */
  public boolean step(TrainingListener listener) {
    if (trainer == null) {
      trainer =
          new ProjectorTrainer(
              device, spec, projector, start.weights(), start.optimizerState(), train, eval);
      order = new EpochOrder(device, trainer, spec.arguments(), train.items());
      start = null;
      train = train.withoutFeatures();
      eval = eval.withoutFeatures();
      listener.started(
          new TrainingStarted(spec, train.items(), eval.items(), plan.totalSteps(), firstStep));
    }
    if (progress.agenda.isEmpty()) {
      optimizerStep(listener);
    } else if (progress.agenda.peek() == Action.EVALUATE) {
      evaluateFurther(listener);
    }
    while (!progress.agenda.isEmpty() && settles(progress.agenda.peek(), listener)) {}
    boolean more = progress.agenda.peek() != Action.FINISHED;
    if (more && checkpointRequested) {
      emitCheckpoint(listener);
    }
    return more;
  }

  private void optimizerStep(TrainingListener listener) {
    int accumulated = spec.arguments().gradientAccumulationSteps();
    long end = Math.min(progress.batch + accumulated, plan.batchesPerEpoch());
    long batchSize = spec.arguments().perDeviceTrainBatchSize();
    long[] bounds =
        LongStream.rangeClosed(progress.batch, end)
            .map(batch -> Math.min(batch * batchSize, train.items()))
            .toArray();
    double learningRate = schedule.at(progress.step);
    ProjectorTrainer.Step step =
        trainer.step(
            order.of(progress.epoch),
            bounds,
            learningRate,
            progress.step + 1,
            progress.epoch,
            progress.batch);
    if (!step.finite()) {
      throw nonFinite(listener, "training loss", step.loss(), progress.step + 1);
    }
    progress.batch = end;
    progress.step++;
    progress.lossSum += step.loss();
    progress.gradNorm = step.gradNorm();
    progress.learningRate = learningRate;
    lastLoss = step.loss();
    tellProgress(listener);
    flow.afterStep(progress);
  }

  private void tellProgress(TrainingListener listener) {
    listener.stepped(new TrainingProgress(progress.step, epochsDone(), lastLoss));
  }

  /** Does what costs next to nothing; false if the action has to wait for the next call. */
  private boolean settles(Action action, TrainingListener listener) {
    return switch (action) {
      case LOG -> {
        progress.agenda.remove();
        log(listener);
        yield true;
      }
      case SAVE -> {
        progress.agenda.remove();
        emitCheckpoint(listener);
        yield true;
      }
      case END_EPOCH -> {
        progress.agenda.remove();
        flow.afterEpoch(progress);
        yield true;
      }
      case NEXT_EPOCH -> {
        progress.agenda.remove();
        nextEpoch(listener);
        yield true;
      }
      case EVALUATE, FINISHED -> false;
    };
  }

  private void log(TrainingListener listener) {
    long steps = progress.step - progress.loggedStep;
    if (steps == 0) {
      return;
    }
    listener.logged(
        new LogEntry(
            progress.step,
            epochsDone(),
            progress.lossSum / steps,
            progress.gradNorm,
            progress.learningRate));
    progress.loggedLossSum += progress.lossSum;
    progress.lossSum = 0;
    progress.loggedStep = progress.step;
  }

  private double epochsDone() {
    return progress.epoch + (double) progress.batch / plan.batchesPerEpoch();
  }

  private void nextEpoch(TrainingListener listener) {
    if (progress.stoppedEarly || progress.step >= plan.totalSteps()) {
      progress.agenda.add(Action.FINISHED);
      listener.finished(result());
    } else {
      progress.epoch++;
      progress.batch = 0;
    }
  }

  private void evaluateFurther(TrainingListener listener) {
    if (evaluation == null) {
      evaluation = new EvaluationPass(spec, eval);
    }
    if (!evaluation.advance(trainer)) {
      tellProgress(listener); // or a long evaluation would be a long silence
      return;
    }
    Evaluation done = new Evaluation(progress.step, epochsDone(), evaluation.metrics());
    evaluation = null;
    double loss = done.metrics().get("eval_loss");
    if (!Double.isFinite(loss)) {
      throw nonFinite(listener, "eval_loss", loss, progress.step);
    }
    progress.agenda.remove();
    listener.evaluated(done);
    if (comparison.improves(done, progress)) {
      best = spec.arguments().loadBestModelAtEnd() ? trainer.weights() : Map.of();
    }
    if (comparison.stops(progress)) {
      progress.stoppedEarly = progress.step < plan.totalSteps();
      if (!progress.agenda.contains(Action.END_EPOCH)
          && !progress.agenda.contains(Action.NEXT_EPOCH)) {
        progress.agenda.add(Action.END_EPOCH);
      }
    }
  }

  private void emitCheckpoint(TrainingListener listener) {
    checkpointRequested = false;
    TrainingCheckpoint checkpoint =
        new TrainingCheckpoint(progress, trainer.weights(), trainer.optimizerState(), best);
    listener.checkpoint(progress.step, checkpoint.toBytes(projector, fingerprint));
  }

  private TrainingResult result() {
    boolean loadsBest = spec.arguments().loadBestModelAtEnd() && !best.isEmpty();
    return new TrainingResult(
        progress.step,
        epochsDone(),
        (progress.loggedLossSum + progress.lossSum) / progress.step,
        progress.stoppedEarly ? "early_stopping" : "",
        loadsBest ? progress.bestStep : progress.step,
        projector.parameters(),
        ProjectorWeights.write(projector, loadsBest ? best : trainer.weights()));
  }

  private GraftException nonFinite(
      TrainingListener listener, String what, double value, long step) {
    emitCheckpoint(listener);
    return GraftException.of(
            GraftException.Category.ABORTED,
            "NON_FINITE_LOSS",
            "The %s of step %d is %s, or its gradient is not finite. The checkpoint of step %d was sent; a lower learning_rate or max_grad_norm may help."
                .formatted(what, step, value, progress.step))
        .with("step", step);
  }

  @Override
  public void close() {
    if (order != null) {
      order.close();
    }
    if (trainer != null) {
      trainer.close();
    }
  }
}

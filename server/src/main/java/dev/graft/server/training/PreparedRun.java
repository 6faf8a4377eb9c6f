package dev.graft.server.training;

import dev.graft.server.GraftException;
import dev.graft.server.Sha256;
import dev.graft.server.torch.TorchDevice;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * What a {@link TrainingRun} is made of, all of it checked; nothing is computed yet.
 *
 * @param spec with every size
 * @param plan when things are due
 * @param fingerprint of the job: a checkpoint fits no other
 * @param start where training starts
 */
record PreparedRun(
    TrainingSpec spec,
    Projector projector,
    TrainingPlan plan,
    String fingerprint,
    TrainingCheckpoint start) {

  /**
   * Checks everything.
   *
   * @param initialProjector empty means: drawn from the seed
   * @param checkpoint empty means: from the beginning
   */
  static PreparedRun of(
      TorchDevice device,
      TrainingSpec asked,
      FeatureDataset train,
      FeatureDataset eval,
      byte[] initialProjector,
      byte[] checkpoint) {
    TrainingArguments arguments = asked.arguments();
    checkData(arguments, train, eval);
    TrainingSpec spec = asked.resolved(train.size(), train.vectorSize());
    Projector projector = new Projector(spec.projector(), train.size());
    checkOutput(spec, train);
    TrainingPlan plan = TrainingPlan.of(arguments, train.items());
    checkMemory(device, spec, projector, train, eval);
    String fingerprint = fingerprint(spec, train, eval, initialProjector);
    return new PreparedRun(
        spec,
        projector,
        plan,
        fingerprint,
        checkpoint.length > 0
            ? TrainingCheckpoint.read(checkpoint, projector, arguments, fingerprint, plan)
            : TrainingCheckpoint.initial(
                arguments.optim(),
                initialProjector.length > 0
                    ? ProjectorWeights.read(projector, initialProjector)
                    : ProjectorWeights.initial(projector, arguments.seed())));
  }

  private static void checkData(
      TrainingArguments arguments, FeatureDataset train, FeatureDataset eval) {
    if (train.items() == 0) {
      throw GraftException.invalidArgument(
          "EMPTY_DATASET", "There are no training items. Send at least one before end_of_data.");
    }
    if (eval.items() == 0) {
      if (arguments.evalStrategy() != IntervalStrategy.NO) {
        throw GraftException.invalidArgument(
            "EMPTY_DATASET",
            "eval_strategy asks for evaluations, but there are no eval items. Send some, or set eval_strategy NO.");
      }
      return;
    }
    if (eval.size() != train.size()) {
      throw GraftException.invalidArgument(
          "FEATURE_SIZE",
          "Eval items have features of %d values, training items of %d."
              .formatted(eval.size(), train.size()));
    }
    if (eval.paired() != train.paired()) {
      throw GraftException.invalidArgument(
          "PAIR_MISSING", "Either both training and eval items have pairs, or neither.");
    }
    if (eval.vectorSize() != train.vectorSize()) {
      throw GraftException.invalidArgument(
          "LABEL_KIND",
          "Eval items have %d label values, training items %d."
              .formatted(eval.vectorSize(), train.vectorSize()));
    }
    if (TrainingPlan.batches(eval.items(), arguments.perDeviceEvalBatchSize(), arguments) == 0) {
      throw InvalidField.of(
          "dataloader_drop_last",
          "leaves nothing of %d eval items in batches of %d"
              .formatted(eval.items(), arguments.perDeviceEvalBatchSize()));
    }
  }

  private static void checkOutput(TrainingSpec spec, FeatureDataset train) {
    int needed = train.vectorSize();
    InvalidField.check(
        needed == 0 || needed == spec.projector().outputSize(),
        "output_size",
        "must be 0 or the number of label values, " + needed,
        spec.projector().outputSize());
  }

  private static void checkMemory(
      TorchDevice device,
      TrainingSpec spec,
      Projector projector,
      FeatureDataset train,
      FeatureDataset eval) {
    TrainingArguments arguments = spec.arguments();
    StepMemory.check(
        device,
        projector,
        spec.objective(),
        train.paired(),
        Math.min(arguments.perDeviceTrainBatchSize(), train.items()),
        "per_device_train_batch_size");
    StepMemory.check(
        device,
        projector,
        spec.objective(),
        train.paired(),
        Math.min(arguments.perDeviceEvalBatchSize(), eval.items()),
        "per_device_eval_batch_size");
  }

  private static String fingerprint(
      TrainingSpec spec, FeatureDataset train, FeatureDataset eval, byte[] initialProjector) {
    MessageDigest digest = Sha256.start();
    String text = String.join("\n", spec.toString(), train.fingerprint(), eval.fingerprint(), "");
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update(initialProjector);
    return Sha256.hex(digest);
  }
}

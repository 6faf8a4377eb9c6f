package dev.graft.client;

import com.google.protobuf.ByteString;
import dev.graft.v1.Evaluation;
import dev.graft.v1.ExtractionProgress;
import dev.graft.v1.LogEntry;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainResult;
import dev.graft.v1.TrainingProgress;
import dev.graft.v1.TrainingStarted;

/** Something that happened in a Train call. {@link Ready} is the first, {@link Completed} last. */
public sealed interface TrainEvent {
  /** The spec with every default filled in, and the audit of what may train. */
  record Ready(TrainReady ready) implements TrainEvent {}

  /** How far the features are. */
  record Extraction(ExtractionProgress progress) implements TrainEvent {}

  /** Data is complete and training begins. */
  record Started(TrainingStarted training) implements TrainEvent {}

  /** How far the training is; comes now and then, whatever is logged. */
  record Training(TrainingProgress progress) implements TrainEvent {}

  /** Training metrics since the last entry. */
  record Log(LogEntry entry) implements TrainEvent {}

  /** An evaluation. */
  record Evaluated(Evaluation evaluation) implements TrainEvent {}

  /**
   * A whole checkpoint.
   *
   * @param step optimizer steps done
   * @param file what {@link TrainJob#withCheckpoint} takes to go on from here
   */
  record CheckpointSaved(long step, ByteString file) implements TrainEvent {}

  /**
   * The end of a training that succeeded.
   *
   * @param projectorFile the trained projector's safetensors file; its SHA-256 was compared with
   *     the result's
   */
  record Completed(TrainResult result, ByteString projectorFile) implements TrainEvent {}
}

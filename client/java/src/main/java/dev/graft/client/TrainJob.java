package dev.graft.client;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.graft.v1.Item;
import dev.graft.v1.TrainSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What one Train call trains, and on what. Items are iterated once per call, train items first, no
 * faster than the worker takes them, and on a thread of the client's; that thread is interrupted if
 * the call ends before the items do.
 *
 * @param spec what to train and how
 * @param trainItems labelled items to train on
 * @param evalItems labelled items to evaluate on; possibly none
 * @param initialProjector starting weights, a safetensors file; empty means fresh ones
 * @param checkpoint a checkpoint to go on from; empty means from the beginning
 * @param deadline how long the whole call may take; empty means the client's default
 */
public record TrainJob(
    TrainSpec spec,
    Iterable<? extends Item> trainItems,
    Iterable<? extends Item> evalItems,
    ByteString initialProjector,
    ByteString checkpoint,
    Optional<Duration> deadline) {
  /** Makes a job; the files' sizes are entered into the spec. */
  public TrainJob {
    requireNonNull(trainItems);
    requireNonNull(evalItems);
    requireNonNull(deadline);
    spec =
        spec.toBuilder()
            .setInitialProjectorBytes(initialProjector.size())
            .setCheckpointBytes(checkpoint.size())
            .build();
  }

  /** A job that starts from fresh weights and does not evaluate. */
  public static TrainJob of(TrainSpec spec, Iterable<? extends Item> trainItems) {
    return new TrainJob(
        spec, trainItems, List.of(), ByteString.EMPTY, ByteString.EMPTY, Optional.empty());
  }

  /** The same job with items to evaluate on. */
  public TrainJob withEvalItems(Iterable<? extends Item> newEvalItems) {
    return new TrainJob(spec, trainItems, newEvalItems, initialProjector, checkpoint, deadline);
  }

  /** The same job with starting weights. */
  public TrainJob withInitialProjector(ByteString newInitialProjector) {
    return new TrainJob(spec, trainItems, evalItems, newInitialProjector, checkpoint, deadline);
  }

  /** The same job going on from a checkpoint, as {@link TrainEvent.CheckpointSaved} carried it. */
  public TrainJob withCheckpoint(ByteString newCheckpoint) {
    return new TrainJob(spec, trainItems, evalItems, initialProjector, newCheckpoint, deadline);
  }

  /** The same job with a limit on the duration of the whole call. */
  public TrainJob withDeadline(Duration newDeadline) {
    return new TrainJob(
        spec, trainItems, evalItems, initialProjector, checkpoint, Optional.of(newDeadline));
  }
}

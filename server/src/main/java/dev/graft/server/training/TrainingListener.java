package dev.graft.server.training;

/**
 * Told what happens in a {@link TrainingRun}, on the thread that makes the step. What it throws
 * ends the run.
 */
public interface TrainingListener {
  /** Data is complete and training begins, or goes on from a checkpoint. */
  default void started(TrainingStarted started) {}

  /** An optimizer step is done, or a part of an evaluation. */
  default void stepped(TrainingProgress progress) {}

  default void logged(LogEntry entry) {}

  default void evaluated(Evaluation evaluation) {}

  /**
   * A checkpoint: one safetensors file.
   *
   * @param step optimizer steps done
   */
  default void checkpoint(long step, byte[] file) {}

  /** The last call. */
  default void finished(TrainingResult result) {}
}

package dev.graft.server.training;

/**
 * How far a training is.
 *
 * @param step optimizer steps done
 * @param epoch epochs done, fractional
 * @param loss of the last step
 */
public record TrainingProgress(long step, double epoch, double loss) {}

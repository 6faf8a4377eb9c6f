package dev.graft.server.training;

/**
 * What a run will be.
 *
 * @param spec with every size
 * @param totalSteps optimizer steps of the whole run
 * @param firstStep steps done before: 0, or the checkpoint's
 */
public record TrainingStarted(
    TrainingSpec spec, int trainItems, int evalItems, long totalSteps, long firstStep) {}

/**
 * Training of projectors on stored features, with the names, defaults and semantics of the {@code
 * Trainer} of transformers 5.23, and predictions with what was trained.
 *
 * <p>A {@link dev.graft.server.training.FeatureCollector} gathers items and their features into a
 * {@link dev.graft.server.training.FeatureDataset}; a {@link dev.graft.server.training.TrainingRun}
 * trains on it one optimizer step at a time, so that several runs can take turns on a device. What
 * a run does depends on its {@link dev.graft.server.training.TrainingSpec} and its datasets alone:
 * every random number comes from a counter, so a run that goes on from a checkpoint ends with the
 * same bytes.
 */
package dev.graft.server.training;

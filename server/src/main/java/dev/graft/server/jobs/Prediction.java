package dev.graft.server.jobs;

/**
 * What a projector says of an item.
 *
 * @param logits its output
 * @param probabilities null when none were asked for
 */
public record Prediction(float[] logits, float[] probabilities) {}

package dev.graft.server.training;

/** The order of the training items: a new permutation each epoch, or as they came. */
public enum TrainSamplingStrategy {
  RANDOM,
  SEQUENTIAL
}

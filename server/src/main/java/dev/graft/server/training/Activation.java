package dev.graft.server.training;

/** Activation between the layers of an MLP; GELU is the exact one (erf). */
public enum Activation {
  GELU,
  RELU,
  SILU,
  TANH
}

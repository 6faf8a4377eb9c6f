package dev.graft.cli.bench;

/** A part of the benchmark that can be run alone. */
public enum BenchPart {
  /** Training on a frozen language model, against loops in PyTorch. */
  TRAIN,
  /** MiniLM over a socket, against onnxruntime. */
  EXTRACT
}

package dev.graft.cli.bench;

/** A part of the benchmark that can be run alone. */
public enum BenchPart {
  /** Training on a frozen language model, against loops in PyTorch. */
  TRAIN,
  /** MiniLM over a socket, against onnxruntime. */
  EXTRACT,
  /** A backbone in 4 and 8 bits, against the unquantized one and loops on bitsandbytes. */
  QUANTIZED,
  /** A backbone four times larger than memory. */
  LIMITED
}

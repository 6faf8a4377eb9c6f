package dev.graft.server.torch;

/** Which library multiplies matrices. */
public enum Kernel {
  /** {@code torch.linear}: MKL on a CPU. The only one with a derivative. */
  MKL,
  /**
   * {@code mkldnn::_linear_pointwise}: oneDNN, with a fused activation; in 16 bits on weights in an
   * order of its own, unless they are mapped. CPU only.
   */
  ONEDNN,
  /** {@code quantized::linear_dynamic}: products of 8-bit integers, on packed weights. x86 only. */
  FBGEMM,
  /** {@code torch.linear} on a GPU. */
  CUBLAS
}

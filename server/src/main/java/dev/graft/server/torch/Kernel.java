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
  CUBLAS;

  /** What becomes of the weights of linear layers before they are multiplied with. */
  public enum Packing {
    /** They stay as they are. */
    NONE,
    /** Each is put into an order of the kernel's own. */
    WEIGHTS,
    /** Those of a block become objects of the kernel's own, together. */
    BLOCKS
  }

  /** What this kernel gains from, unless weights are to stay mapped. */
  public Packing packing(ComputeDtype dtype) {
    return switch (this) {
      case MKL, CUBLAS -> Packing.NONE;
      // In 32 bits it gains little, and most weights are stored so: they can be mapped.
      case ONEDNN -> dtype == ComputeDtype.FP32 ? Packing.NONE : Packing.WEIGHTS;
      case FBGEMM -> Packing.BLOCKS;
    };
  }
}

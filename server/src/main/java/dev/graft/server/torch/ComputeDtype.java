package dev.graft.server.torch;

/** Type in which a backbone's matrix products are computed. */
public enum ComputeDtype {
  FP32(DType.F32, 4),
  BF16(DType.BF16, 2),
  FP16(DType.F16, 2),

  /**
   * Linear layers in 8 bits: weights with a scale for each output, activations with a scale found
   * anew for each batch. All else in 32 bits. CPU only, and without a derivative.
   */
  INT8_DYNAMIC(DType.F32, 1);

  private final DType dtype;
  private final int weightBytes;

  ComputeDtype(DType dtype, int weightBytes) {
    this.dtype = dtype;
    this.weightBytes = weightBytes;
  }

  /** Bytes that a value of a linear layer's weight takes. */
  public int weightBytes() {
    return weightBytes;
  }

  /** Element type of activations, and of weights outside linear layers. */
  public DType dtype() {
    return dtype;
  }
}

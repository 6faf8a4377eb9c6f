package dev.graft.server.torch;

/** Type in which a backbone's matrix products are computed. */
public enum ComputeDtype {
  FP32(DType.F32),
  BF16(DType.BF16),
  FP16(DType.F16);

  private final DType dtype;

  ComputeDtype(DType dtype) {
    this.dtype = dtype;
  }

  /** Element type of weights and activations. */
  public DType dtype() {
    return dtype;
  }
}

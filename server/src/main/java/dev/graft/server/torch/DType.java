package dev.graft.server.torch;

/** Element types, with the number that libtorch gives each ({@code c10::ScalarType}). */
public enum DType {
  U8(0, 1),
  I8(1, 1),
  I16(2, 2),
  I32(3, 4),
  I64(4, 8),
  F16(5, 2),
  F32(6, 4),
  F64(7, 8),
  BOOL(11, 1),
  BF16(15, 2);

  private final int scalarType;
  private final int bytes;

  DType(int scalarType, int bytes) {
    this.scalarType = scalarType;
    this.bytes = bytes;
  }

  /** libtorch's number of this type, as programs take it. */
  public int scalarType() {
    return scalarType;
  }

  /** Size of an element in bytes. */
  public int bytes() {
    return bytes;
  }
}

package dev.graft.server.checkpoints;

import java.util.Optional;

/**
 * Element types of GGUF tensors that are read: plain ones, and those that store a row as blocks.
 * (ggml/include/ggml.h and ggml/src/ggml-common.h of llama.cpp)
 */
public enum GgmlType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  IQ4_NL(20, 32, 18),
  BF16(30, 1, 2);

  private final int id;
  private final int blockValues;
  private final int blockBytes;

  GgmlType(int id, int blockValues, int blockBytes) {
    this.id = id;
    this.blockValues = blockValues;
    this.blockBytes = blockBytes;
  }

  /** Its number in a file. */
  public int id() {
    return id;
  }

  /** Values of a block; 1 for the plain types. */
  public int blockValues() {
    return blockValues;
  }

  /** Size of a block in bytes, always even. */
  public int blockBytes() {
    return blockBytes;
  }

  /** The plain type that safetensors has as well; empty for blocks. */
  public Optional<StoredType> plain() {
    return blockValues > 1
        ? Optional.empty()
        : Optional.of(
            this == F32 ? StoredType.F32 : this == F16 ? StoredType.F16 : StoredType.BF16);
  }

  static Optional<GgmlType> numbered(long id) {
    for (GgmlType type : values()) {
      if (type.id == id) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}

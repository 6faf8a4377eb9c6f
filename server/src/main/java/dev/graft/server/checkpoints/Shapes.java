package dev.graft.server.checkpoints;

import java.util.OptionalLong;

/** Sizes of tensors, computed so that a lying shape cannot overflow into a plausible one. */
final class Shapes {
  /** Most dimensions of a tensor; libtorch computes with no more either. */
  static final int MAX_RANK = 64;

  private Shapes() {}

  /** product(shape) * size of an element; empty where that leaves 63 bits or a size is negative. */
  static OptionalLong bytes(StoredType type, long[] shape) {
    long elements = 1;
    for (long size : shape) {
      if (size < 0 || (size > 0 && elements > Long.MAX_VALUE / size)) {
        return OptionalLong.empty();
      }
      elements *= size;
    }
    return elements > Long.MAX_VALUE / type.bytes()
        ? OptionalLong.empty()
        : OptionalLong.of(elements * type.bytes());
  }
}

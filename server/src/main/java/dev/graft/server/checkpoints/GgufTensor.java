package dev.graft.server.checkpoints;

/**
 * A tensor of a GGUF file.
 *
 * @param entry its place: of a plain type, or U8 with the bytes of a row instead of its values
 * @param interleavedHeads 0, or the number of heads in whose rows the two halves that rotary
 *     embeddings pair are interleaved: row (head, i, half) of the file is row (head, half, i) of
 *     the weight
 */
public record GgufTensor(TensorEntry entry, GgmlType type, int interleavedHeads) {
  /** The tensor's shape in values, slowest dimension first. */
  public long[] shape() {
    long[] shape = entry.shape();
    if (type.plain().isEmpty()) {
      int last = shape.length - 1;
      shape[last] = shape[last] / type.blockBytes() * type.blockValues();
    }
    return shape;
  }

  /** Whether its bytes, row after row, are what the weight is in safetensors. */
  public boolean asInSafetensors() {
    return type.plain().isPresent() && interleavedHeads == 0;
  }

  GgufTensor as(String name, int heads) {
    return new GgufTensor(
        new TensorEntry(
            name, entry.type(), entry.shape(), entry.file(), entry.offset(), entry.bytes(), false),
        type,
        heads);
  }
}

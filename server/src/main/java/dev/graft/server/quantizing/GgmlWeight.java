package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.checkpoints.GgufTensor;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A weight of a GGUF file: blocks of one of ggml's types, or a plain one whose rows are in another
 * order. Decoded as {@code dequantize_row_*} of llama.cpp's ggml-quants.c does, to the bit.
 */
public final class GgmlWeight implements QuantizedWeight {
  /** Values that are decoded at once: enough that calls cost little, few enough for a cache. */
  private static final long VALUES_AT_ONCE = 1 << 17;

  private final GgufTensor tensor;

  private GgmlWeight(GgufTensor tensor) {
    this.tensor = tensor;
  }

  /**
   * The weight of this name, if it must be decoded.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT if it is not of this shape
   */
  public static Optional<QuantizedWeight> find(Checkpoint checkpoint, String name, long... shape) {
    return checkpoint
        .ggufTensor(name)
        .filter(tensor -> !tensor.asInSafetensors())
        .map(tensor -> of(tensor, shape));
  }

  /**
   * A tensor of a GGUF file.
   *
   * @throws GraftException FAILED_PRECONDITION CORRUPT_CHECKPOINT if it is not of this shape
   */
  public static GgmlWeight of(GgufTensor tensor, long... shape) {
    if (!Arrays.equals(tensor.shape(), shape)) {
      throw WrongEntry.corrupt(
          tensor.entry(),
          "has shape %s where %s is asked for"
              .formatted(Arrays.toString(tensor.shape()), Arrays.toString(shape)));
    }
    return new GgmlWeight(tensor);
  }

  @Override
  public String name() {
    return tensor.entry().name();
  }

  @Override
  public long[] shape() {
    return tensor.shape();
  }

  @Override
  public List<TensorEntry> entries() {
    return List.of(tensor.entry());
  }

  @Override
  public Tensor decode(Scope scope, TensorFiles files, DType dtype) {
    GgmlType type = tensor.type();
    long[] shape = tensor.shape();
    long columns = shape.length > 1 ? shape[shape.length - 1] : 1;
    if (type.plain().isEmpty() && shape.length == 1) {
      columns = shape[0];
    }
    long values = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    long rows = columns == 0 ? 0 : values / columns;
    long unitRows = tensor.interleavedHeads() > 0 ? rows / tensor.interleavedHeads() : 1;
    long unitValues = Math.max(1, unitRows * columns);
    Program program = GgmlPrograms.of(type, scope.device());
    try (Scope views = Scope.open(scope.device())) {
      return program.call(
          scope,
          "decode",
          blocks(views, files, type.plain().map(TensorFiles::dtype).orElse(DType.U8)),
          blocks(views, files, type == GgmlType.F32 ? DType.F32 : DType.F16),
          shape,
          rows,
          columns,
          tensor.interleavedHeads(),
          unitValues / type.blockValues(),
          Math.max(1, VALUES_AT_ONCE / unitValues),
          dtype.scalarType());
    }
  }

  /** Its bytes as [blocks, elements of this type]; a GGUF file aligns them. */
  private Tensor blocks(Scope scope, TensorFiles files, DType dtype) {
    TensorEntry entry = tensor.entry();
    Tensors tensors = files.tensors();
    return tensors.part(
        scope,
        files.file(entry.file(), dtype),
        entry.offset() / dtype.bytes(),
        entry.bytes() / tensor.type().blockBytes(),
        tensor.type().blockBytes() / dtype.bytes());
  }

  @Override
  public String toString() {
    return name() + " " + tensor.type() + Arrays.toString(shape());
  }
}

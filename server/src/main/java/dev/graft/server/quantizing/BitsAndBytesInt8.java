package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A weight in 8 bits (LLM.int8(), https://arxiv.org/abs/2208.07339): under its own name codes I8
 * [out, in]; beside it {@code SCB} F32 [out], the largest magnitude of each row, and {@code
 * weight_format} U8 [], 0 for plain rows. A value is {@code code * SCB / 127} in 32 bits.
 */
final class BitsAndBytesInt8 implements QuantizedWeight {
  private static final String WEIGHT = "weight";
  private static final int ROWS = 0;

  private final String name;
  private final long[] shape;
  private final TensorEntry codes;
  private final TensorEntry absmax;
  private final Optional<TensorEntry> format;

  private BitsAndBytesInt8(BitsAndBytesParts parts, String prefix, long[] shape) {
    this.name = parts.weightName();
    this.shape = shape.clone();
    this.codes = parts.checkpoint().require(name);
    BitsAndBytesParts.requireType(codes, StoredType.I8);
    // The first versions had no other format, and so named none.
    this.format = parts.checkpoint().find(prefix + "weight_format");
    format.ifPresent(BitsAndBytesInt8::requireRows);
    if (shape.length != 2 || !Arrays.equals(codes.shape(), shape)) {
      throw WrongEntry.corrupt(
          codes,
          "has shape %s where the model needs %s"
              .formatted(Arrays.toString(codes.shape()), Arrays.toString(shape)));
    }
    this.absmax = parts.vector(prefix + "SCB", StoredType.F32, shape[0]);
  }

  /** Looks a weight up in a checkpoint whose quantized weights have 8 bits. */
  static Optional<QuantizedWeight> find(Checkpoint checkpoint, String weightName, long[] shape) {
    if (!weightName.equals(WEIGHT) && !weightName.endsWith("." + WEIGHT)) {
      return Optional.empty();
    }
    String prefix = prefix(weightName);
    BitsAndBytesParts parts = new BitsAndBytesParts(checkpoint, weightName);
    boolean quantized =
        parts.has(prefix + "SCB")
            || parts.weight().filter(entry -> !entry.type().isFloat16OrWider()).isPresent();
    return quantized ? Optional.of(new BitsAndBytesInt8(parts, prefix, shape)) : Optional.empty();
  }

  /** What the names of a weight's other parts begin with. */
  static String prefix(String weightName) {
    return weightName.substring(0, weightName.length() - WEIGHT.length());
  }

  private static void requireRows(TensorEntry entry) {
    BitsAndBytesParts.requireType(entry, StoredType.U8);
    if (entry.bytes() != 1) {
      throw WrongEntry.corrupt(entry, "has %d bytes, not one".formatted(entry.bytes()));
    }
    int format = Byte.toUnsignedInt(entry.read().get());
    if (format != ROWS) {
      throw WrongEntry.unsupported(
          entry,
          "weight_format",
          "says %d: only plain rows (0) are read, not the layouts of old GPUs".formatted(format));
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public List<TensorEntry> entries() {
    List<TensorEntry> entries = new ArrayList<>(List.of(codes, absmax));
    format.ifPresent(entries::add);
    return entries;
  }

  @Override
  public Tensor decode(Scope scope, TensorFiles files, DType dtype) {
    try (Scope inputs = Scope.open(scope.device())) {
      return BitsAndBytesProgram.call(
          scope,
          "int8",
          files.stored(inputs, codes, DType.I8),
          files.stored(inputs, absmax, DType.F32),
          dtype.scalarType(),
          BitsAndBytesProgram.step(scope.device(), shape[1]));
    }
  }
}

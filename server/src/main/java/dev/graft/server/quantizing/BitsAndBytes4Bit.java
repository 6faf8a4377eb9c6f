package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.StoredType;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A weight of n values in 4 bits. Under its own name lie two codes a byte, the first in the high
 * half, in any element type; beside it
 *
 * <ul>
 *   <li>{@code absmax} F32 [blocks], or U8 where the scales are quantized as well
 *   <li>{@code quant_map} F32 [16]: the value of each code
 *   <li>{@code nested_absmax} F32 [blocks / 256], {@code nested_quant_map} F32 [256]: if the scales
 *       are quantized
 *   <li>{@code quant_state.bitsandbytes__nf4} or {@code __fp4}: a {@link QuantState}
 * </ul>
 *
 * A value is {@code quant_map[code] * absmax} in 32 bits, rounded to the type that the weight had.
 */
final class BitsAndBytes4Bit implements QuantizedWeight {
  private static final String STATE = ".quant_state.bitsandbytes__";

  private final String name;
  private final long[] shape;
  private final QuantState state;
  private final TensorEntry stateEntry;
  private final TensorEntry packed;
  private final TensorEntry absmax;
  private final TensorEntry quantMap;

  /** nested_absmax and nested_quant_map, or nothing. */
  private final List<TensorEntry> nested;

  private BitsAndBytes4Bit(
      BitsAndBytesParts parts, FourBitType type, TensorEntry stateEntry, long[] shape) {
    this.name = parts.weightName();
    this.shape = shape.clone();
    this.stateEntry = stateEntry;
    this.state = QuantStateReader.read(stateEntry, type, shape);
    long count = count(stateEntry, shape);
    long blocks = ceilDivide(count, state.blockSize());
    this.packed = packed(parts, count);
    this.quantMap = parts.vector(name + ".quant_map", StoredType.F32, 16);
    this.absmax = absmax(parts, blocks);
    this.nested =
        state
            .nested()
            .map(
                nested ->
                    List.of(
                        parts.vector(
                            name + ".nested_absmax",
                            StoredType.F32,
                            ceilDivide(blocks, nested.blockSize())),
                        parts.vector(name + ".nested_quant_map", StoredType.F32, 256)))
            .orElse(List.of());
  }

  private static long count(TensorEntry entry, long[] shape) {
    try {
      return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    } catch (ArithmeticException e) {
      throw WrongEntry.corrupt(entry, "says a shape of more than 2^63 values").causedBy(e);
    }
  }

  /** Looks a weight up in a checkpoint whose quantized weights have 4 bits. */
  static Optional<QuantizedWeight> find(Checkpoint checkpoint, String weightName, long[] shape) {
    BitsAndBytesParts parts = new BitsAndBytesParts(checkpoint, weightName);
    for (FourBitType type : FourBitType.values()) {
      Optional<TensorEntry> state = checkpoint.find(stateName(weightName, type));
      if (state.isPresent()) {
        return Optional.of(new BitsAndBytes4Bit(parts, type, state.get(), shape));
      }
    }
    boolean others = parts.has(weightName + ".absmax") || parts.has(weightName + ".quant_map");
    if (others || parts.weight().filter(entry -> entry.type().isFloat16OrWider()).isEmpty()) {
      parts.weight().ifPresent(entry -> checkpoint.require(stateName(weightName, FourBitType.NF4)));
    }
    return Optional.empty();
  }

  static String stateName(String weightName, FourBitType type) {
    return weightName + STATE + type.text();
  }

  /** Two codes a byte, of whatever type and shape but one. */
  private static TensorEntry packed(BitsAndBytesParts parts, long count) {
    TensorEntry entry = parts.checkpoint().require(parts.weightName());
    long bytes = ceilDivide(count, 2);
    if (entry.bytes() != bytes) {
      throw WrongEntry.corrupt(
          entry, "has %d bytes where %d values need %d".formatted(entry.bytes(), count, bytes));
    }
    long[] stored = entry.shape();
    if (stored.length == 2 && stored[0] == 1 && stored[1] > 1) {
      throw WrongEntry.unsupported(
          entry,
          "shape",
          "is stored as %s, which to bitsandbytes means a transposed weight: quantize it again"
              .formatted(Arrays.toString(stored)));
    }
    return entry;
  }

  private TensorEntry absmax(BitsAndBytesParts parts, long blocks) {
    TensorEntry entry = parts.checkpoint().require(name + ".absmax");
    if (entry.type() == StoredType.BF16) {
      throw WrongEntry.unsupported(
          entry,
          "absmax",
          "is stored as BF16, as bitsandbytes leaves it when a model is saved after it was run on a"
              + " CPU: quantize the model again and save it before it runs");
    }
    return parts.vector(
        entry.name(), state.nested().isPresent() ? StoredType.U8 : StoredType.F32, blocks);
  }

  private static long ceilDivide(long dividend, long divisor) {
    return dividend / divisor + (dividend % divisor == 0 ? 0 : 1);
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
    List<TensorEntry> entries = new ArrayList<>(List.of(packed, absmax, quantMap));
    entries.addAll(nested);
    entries.add(stateEntry);
    return entries;
  }

  @Override
  public Tensor decode(Scope scope, TensorFiles files, DType dtype) {
    TorchDevice device = scope.device();
    try (Scope inputs = Scope.open(device)) {
      Tensor bytes =
          files
              .tensors()
              .part(inputs, files.file(packed.file(), DType.U8), packed.offset(), packed.bytes());
      return BitsAndBytesProgram.call(
          scope,
          "four_bit",
          files.tensors().toDevice(inputs, bytes),
          files.stored(inputs, quantMap, DType.F32),
          scales(inputs, files),
          state.blockSize(),
          shape,
          state.dtype().scalarType(),
          dtype.scalarType(),
          BitsAndBytesProgram.step(device, state.blockSize()));
    }
  }

  /** F32 [blocks]. */
  private Tensor scales(Scope scope, TensorFiles files) {
    if (state.nested().isEmpty()) {
      return files.stored(scope, absmax, DType.F32);
    }
    QuantState.Nested options = state.nested().get();
    return BitsAndBytesProgram.call(
        scope,
        "scales",
        files.stored(scope, absmax, DType.U8),
        files.stored(scope, nested.get(1), DType.F32),
        files.stored(scope, nested.get(0), DType.F32),
        options.blockSize(),
        (double) options.offset());
  }
}

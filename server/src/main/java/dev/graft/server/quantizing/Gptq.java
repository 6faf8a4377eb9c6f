package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * GPTQ (https://arxiv.org/abs/2210.17323) as AutoGPTQ and GPTQModel store it:
 *
 * <ul>
 *   <li>{@code qweight} I32 [in * bits / 32, out]: each column a stream of codes, lowest bits first
 *   <li>{@code qzeros} I32 [groups, out * bits / 32]: each row a stream of zero points; {@code
 *       checkpoint_format} {@code gptq} has them less one, {@code gptq_v2} as they are
 *   <li>{@code scales} [groups, out]
 *   <li>{@code g_idx} I32 [in]: the group of each input, in any order; absent, groups are in order
 * </ul>
 *
 * A weight is scale * (code - zero point).
 */
public final class Gptq implements QuantizedWeight {
  private static final PackedProgram PROGRAM = new PackedProgram("gptq.py");
  private static final Set<Integer> BITS = Set.of(3, 4, 8);

  private final String name;
  private final long[] shape;
  private final int bits;

  /** Whether zero points are stored less one. */
  private final boolean lessOne;

  private final TensorEntry qweight;
  private final TensorEntry qzeros;
  private final TensorEntry scales;
  private final Optional<TensorEntry> order;

  /** The group of each input; empty where groups are of one size and in order. */
  private final long[] groups;

  private Gptq(PackedTensors stored, PackedOptions options, long outputs, long inputs) {
    this.name = stored.weightName();
    this.shape = new long[] {outputs, inputs};
    this.bits = options.bits(BITS);
    this.lessOne = lessOne(options);
    stored.requireWords("inputs", inputs, bits);
    stored.requireWords("outputs", outputs, bits);
    long groupSize = Math.min(options.groupSize(inputs), inputs);
    long count = (inputs + groupSize - 1) / groupSize;
    this.qweight = stored.words("qweight", inputs * bits / PackedTensors.WORD_BITS, outputs);
    this.qzeros = stored.words("qzeros", count, outputs * bits / PackedTensors.WORD_BITS);
    this.scales = stored.scales(count, outputs);
    boolean ordered = stored.has("g_idx") || (options.flag("desc_act") && count > 1);
    this.order = ordered ? Optional.of(stored.words("g_idx", inputs)) : Optional.empty();
    this.groups =
        order.map(entry -> groups(entry, groupSize, count)).orElse(groups(inputs, groupSize));
  }

  /**
   * Looks a weight up.
   *
   * @param weightName its name if it were not quantized: {@code
   *     model.layers.0.self_attn.q_proj.weight}
   * @param shape [out, in] of its linear layer
   * @return empty if the checkpoint is not quantized by GPTQ, or this weight of it is not
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for a setting that is not read,
   *     MISSING_TENSOR or CORRUPT_CHECKPOINT naming the tensor
   */
  public static Optional<QuantizedWeight> find(
      Checkpoint checkpoint, String weightName, long[] shape) {
    Optional<PackedTensors> stored = PackedTensors.of(checkpoint, weightName);
    if (stored.isEmpty() || shape.length != 2) {
      return Optional.empty();
    }
    Optional<PackedOptions> options = PackedOptions.of(checkpoint, "gptq", stored.get().prefix());
    if (options.isEmpty()) {
      return Optional.empty();
    }
    lessOne(options.get());
    options.get().bits(BITS);
    return stored.get().isStored()
        ? Optional.of(new Gptq(stored.get(), options.get(), shape[0], shape[1]))
        : Optional.empty();
  }

  private static boolean lessOne(PackedOptions options) {
    String format = options.format().orElse("gptq");
    return switch (format) {
      case "gptq" -> true;
      case "gptq_v2" -> false;
      default -> throw options.unsupported("checkpoint_format", "gptq and gptq_v2 are read");
    };
  }

  /** What is stored of the order of inputs, proved to name groups that exist. */
  private static long[] groups(TensorEntry order, long groupSize, long count) {
    IntBuffer stored = order.read().asIntBuffer();
    long[] groups = new long[stored.remaining()];
    for (int i = 0; i < groups.length; i++) {
      groups[i] = stored.get(i);
      if (groups[i] < 0 || groups[i] >= count) {
        throw WrongEntry.corrupt(
            order, "gives input %d the group %d of %d".formatted(i, groups[i], count));
      }
    }
    return regular(groups, groupSize) ? new long[0] : groups;
  }

  private static long[] groups(long inputs, long groupSize) {
    if (inputs % groupSize == 0) {
      return new long[0];
    }
    long[] groups = new long[Math.toIntExact(inputs)];
    for (int i = 0; i < groups.length; i++) {
      groups[i] = i / groupSize;
    }
    return groups;
  }

  private static boolean regular(long[] groups, long groupSize) {
    for (int i = 0; i < groups.length; i++) {
      if (groups[i] != i / groupSize) {
        return false;
      }
    }
    return groups.length % groupSize == 0;
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
    List<TensorEntry> entries = new ArrayList<>(List.of(qweight, qzeros, scales));
    order.ifPresent(entries::add);
    return List.copyOf(entries);
  }

  @Override
  public Tensor decode(Scope scope, TensorFiles files, DType dtype) {
    TorchDevice device = scope.device();
    try (Scope inputs = Scope.open(device)) {
      Tensor factors = files.stored(inputs, scales, PackedTensors.dtype(scales));
      PROGRAM.requireFinite(inputs, factors, scales);
      List<Tensor> index =
          groups.length == 0 ? List.of() : List.of(inputs.longs(groups, groups.length));
      return PROGRAM
          .on(device)
          .call(
              scope,
              "decode",
              files.stored(inputs, qweight, DType.I32),
              files.stored(inputs, qzeros, DType.I32),
              factors,
              index,
              bits,
              lessOne,
              PackedProgram.step(device, shape[1]),
              dtype.scalarType());
    }
  }
}

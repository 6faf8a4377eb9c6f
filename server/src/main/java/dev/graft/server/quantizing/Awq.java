package dev.graft.server.quantizing;

import dev.graft.server.GraftException;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.DType;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * AWQ (https://arxiv.org/abs/2306.00978) in the layout that AutoAWQ calls GEMM:
 *
 * <ul>
 *   <li>{@code qweight} I32 [in, out / 8]: eight codes a word, those of columns 0, 2, 4, 6, 1, 3,
 *       5, 7 from the lowest bits up
 *   <li>{@code qzeros} I32 [groups, out / 8]: zero points, packed alike
 *   <li>{@code scales} [groups, out]
 * </ul>
 *
 * A weight is scale * (code - zero point); what activations were scaled by is already in it. The
 * stored zero points count whatever {@code zero_point} says.
 */
public final class Awq implements QuantizedWeight {
  private static final PackedProgram PROGRAM = new PackedProgram("awq.py");
  private static final Set<Integer> BITS = Set.of(4);

  private final String name;
  private final long[] shape;
  private final TensorEntry qweight;
  private final TensorEntry qzeros;
  private final TensorEntry scales;

  private Awq(PackedTensors stored, PackedOptions options, long outputs, long inputs) {
    this.name = stored.weightName();
    this.shape = new long[] {outputs, inputs};
    int bits = options.bits(BITS);
    stored.requireWords("outputs", outputs, bits);
    long groupSize = options.groupSize(inputs);
    if (inputs % groupSize != 0) {
      throw options.corrupt(
          "group_size = %d does not divide the %d inputs of %s".formatted(groupSize, inputs, name));
    }
    long words = outputs * bits / PackedTensors.WORD_BITS;
    this.qweight = stored.words("qweight", inputs, words);
    this.qzeros = stored.words("qzeros", inputs / groupSize, words);
    this.scales = stored.scales(inputs / groupSize, outputs);
  }

  /**
   * Looks a weight up.
   *
   * @param weightName its name if it were not quantized: {@code
   *     model.layers.0.self_attn.q_proj.weight}
   * @param shape [out, in] of its linear layer
   * @return empty if the checkpoint is not quantized by AWQ, or this weight of it is not
   * @throws GraftException FAILED_PRECONDITION UNSUPPORTED_OPTION for a setting that is not read,
   *     MISSING_TENSOR or CORRUPT_CHECKPOINT naming the tensor
   */
  public static Optional<QuantizedWeight> find(
      Checkpoint checkpoint, String weightName, long[] shape) {
    Optional<PackedTensors> stored = PackedTensors.of(checkpoint, weightName);
    if (stored.isEmpty() || shape.length != 2) {
      return Optional.empty();
    }
    Optional<PackedOptions> options = PackedOptions.of(checkpoint, "awq", stored.get().prefix());
    if (options.isEmpty() || options.get().leavesAsItIs(stored.get().module())) {
      return Optional.empty();
    }
    refuseOtherLayouts(options.get());
    return stored.get().isStored()
        ? Optional.of(new Awq(stored.get(), options.get(), shape[0], shape[1]))
        : Optional.empty();
  }

  private static void refuseOtherLayouts(PackedOptions options) {
    options.bits(BITS);
    if (!options.format().orElse("gemm").equals("gemm")) {
      throw options.unsupported("version", "only gemm is read");
    }
    if (options.agreed("backend").equals(Optional.of("llm-awq"))) {
      throw options.unsupported("backend", "its layout is not read: save it as gemm");
    }
    options.flag("zero_point");
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
    return List.of(qweight, qzeros, scales);
  }

  @Override
  public Tensor decode(Scope scope, TensorFiles files, DType dtype) {
    TorchDevice device = scope.device();
    try (Scope inputs = Scope.open(device)) {
      Tensor factors = files.stored(inputs, scales, PackedTensors.dtype(scales));
      PROGRAM.requireFinite(inputs, factors, scales);
      return PROGRAM
          .on(device)
          .call(
              scope,
              "decode",
              files.stored(inputs, qweight, DType.I32),
              files.stored(inputs, qzeros, DType.I32),
              factors,
              PackedProgram.step(device, shape[1]),
              dtype.scalarType());
    }
  }
}

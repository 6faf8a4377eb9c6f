package dev.graft.server.backbones;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.Parameters.Found;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.quantizing.QuantizedWeight;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Kernel.Packing;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.NativeHeap;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.Tensors;
import dev.graft.server.torch.TorchDevice;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A backbone that computes with its architecture's program. Must not be closed while it does. */
final class ProgramBackbone implements Backbone {
  private final Architecture architecture;
  private final Parameters parameters;
  private final TorchDevice device;
  private final Kernels kernels;
  private final long weightsMemoryBytes;
  private final BackboneInfo info;

  private final Object lock = new Object();
  private final Tensors tensors;

  private final BackbonePrograms programs;

  /** Guarded by lock. */
  private final Map<ComputeDtype, DeviceParameters> loaded = new EnumMap<>(ComputeDtype.class);

  private final StoredBlocks stored;

  /** The types in which weights of linear layers are stored: they are mapped, and never packed. */
  private final Set<ComputeDtype> mapped = EnumSet.noneOf(ComputeDtype.class);

  /**
   * @param weightsMemoryBytes where the weights would take more, blocks are made on demand
   */
  ProgramBackbone(
      Architecture architecture,
      Parameters parameters,
      String digest,
      TorchDevice device,
      Kernels kernels,
      long weightsMemoryBytes) {
    this.architecture = architecture;
    this.parameters = parameters;
    this.device = device;
    this.programs = new BackbonePrograms(architecture, device);
    this.kernels = kernels;
    this.weightsMemoryBytes = weightsMemoryBytes;
    boolean scarce = parameters.bytes() > weightsMemoryBytes;
    if (scarce) {
      NativeHeap.returnLargeBlocks();
    }
    this.stored = new StoredBlocks(parameters, scarce);
    this.tensors = Tensors.on(device);
    for (ComputeDtype dtype : ComputeDtype.values()) {
      if (parameters.hasMappedLinearWeights(dtype)) {
        mapped.add(dtype);
      }
    }
    this.info =
        new BackboneInfo(
            architecture.modelType(),
            architecture.hiddenSize(),
            architecture.blocks(),
            architecture.vocabularySize(),
            architecture.tokenTypes(),
            architecture.maxTokens(),
            architecture.causal(),
            parameters.tensors(),
            parameters.count(),
            parameters.bytes(),
            digest);
  }

  @Override
  public BackboneInfo info() {
    return info;
  }

  @Override
  public List<String> quantizedWeights() {
    return parameters.quantized().map(QuantizedWeight::name).sorted().toList();
  }

  @Override
  public String programText(ComputeDtype dtype) {
    return programs.of(kernel(dtype)).text();
  }

  /**
   * Computes on the calling thread.
   *
   * @throws GraftException INVALID_ARGUMENT TOKEN_OUT_OF_RANGE or ITEM_TOO_LONG; RESOURCE_EXHAUSTED
   *     OUT_OF_MEMORY
   */
  @Override
  public Tensor hiddenStates(Scope scope, TokenBatch batch, int layer, ComputeDtype dtype) {
    if (layer < 0 || layer > info.blocks()) {
      throw new IllegalArgumentException("No layer " + layer + " of " + info.blocks());
    }
    Optional<OnDemandBlocks> blocks = onDemand(dtype);
    if (blocks.isPresent()) {
      return blocks.get().hiddenStates(scope, batch, layer);
    }
    check(batch);
    Kernel kernel = kernel(dtype);
    Program program = programs.of(kernel);
    DeviceParameters weights = weights(dtype);
    try (Scope temporary = Scope.open(device)) {
      BatchInputs inputs = BatchInputs.of(temporary, batch.filledFor(kernel));
      return program.call(
          scope,
          "hidden_states",
          inputs.ids(),
          inputs.types(),
          inputs.lengths(),
          inputs.rows(),
          weights.outside(),
          weights.blocks(),
          layer);
    }
  }

  @Override
  public Optional<BlockSteps> steps(ComputeDtype dtype) {
    return onDemand(dtype).map(steps -> steps);
  }

  /** Dense copies of quantized weights are what quantizing was to save, so they are never kept. */
  private Optional<OnDemandBlocks> onDemand(ComputeDtype dtype) {
    if (isResident(dtype)) {
      return Optional.empty();
    }
    return Optional.of(
        new OnDemandBlocks(
            parameters,
            kernel(dtype),
            programs.of(kernel(dtype)),
            loader(dtype),
            () -> weights(dtype).outside(),
            words(),
            stored,
            this::check));
  }

  private boolean isResident(ComputeDtype dtype) {
    return !parameters.hasQuantizedBlocks()
        && parameters.residentBytes(dtype) <= weightsMemoryBytes;
  }

  /** The word embeddings, where blocks on demand need not keep them in memory. */
  private Optional<TensorEntry> words() {
    return !device.isCuda()
            && firstOutside().getValue() instanceof Found.Plain table
            && !table.turned()
            && !table.entry().transposed()
        ? Optional.of(table.entry())
        : Optional.empty();
  }

  private Map.Entry<String, Found> firstOutside() {
    return parameters.outside().entrySet().iterator().next();
  }

  /** What blocks on demand keep in memory besides. */
  private Map<String, Found> outside() {
    Map<String, Found> outside = new LinkedHashMap<>(parameters.outside());
    if (words().isPresent()) {
      outside.remove(firstOutside().getKey());
    }
    return outside;
  }

  private void check(TokenBatch batch) {
    if (architecture.learnedPositions() && batch.longest() > info.maxTokens()) {
      throw GraftException.invalidArgument(
              "ITEM_TOO_LONG",
              "%d tokens are more than the %d positions of this %s backbone"
                  .formatted(batch.longest(), info.maxTokens(), info.modelType()))
          .with("tokens", batch.longest())
          .with("max_tokens", info.maxTokens());
    }
    // An index outside a table would be an error deep in libtorch, and on a GPU one that ends it.
    checkRange("token id", batch.ids(), info.vocabularySize());
    if (batch.typeIds() != null && architecture.tokenTypes() > 0) {
      checkRange("token type id", batch.typeIds(), architecture.tokenTypes());
    }
  }

  private static void checkRange(String what, long[] values, int end) {
    for (long value : values) {
      if (value < 0 || value >= end) {
        throw GraftException.invalidArgument(
                "TOKEN_OUT_OF_RANGE",
                "%s %d is not in the backbone's range 0 to %d".formatted(what, value, end - 1))
            .with("value", value)
            .with("max", end - 1);
      }
    }
  }

  @Override
  public void load(ComputeDtype dtype) {
    weights(dtype);
  }

  private DeviceParameters weights(ComputeDtype dtype) {
    synchronized (lock) {
      return loaded.computeIfAbsent(
          dtype,
          type ->
              isResident(type)
                  ? DeviceParameters.all(parameters, loader(type))
                  : DeviceParameters.outside(outside(), loader(type)));
    }
  }

  private WeightsLoader loader(ComputeDtype dtype) {
    Kernel kernel = kernel(dtype);
    Packing packing = mapped.contains(dtype) ? Packing.NONE : kernel.packing(dtype);
    return new WeightsLoader(device, tensors, dtype.dtype(), packing, programs.of(kernel));
  }

  private Kernel kernel(ComputeDtype dtype) {
    return mapped.contains(dtype) ? kernels.kernelForMapped(dtype) : kernels.kernel(dtype);
  }

  @Override
  public void close() {
    stored.close();
    programs.close();
    synchronized (lock) {
      loaded.values().forEach(DeviceParameters::close);
      loaded.clear();
      tensors.close();
    }
  }
}

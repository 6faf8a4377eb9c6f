package dev.graft.cli;

import dev.graft.server.rpc.WorkerOptions;
import dev.graft.server.torch.Kernel;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Where and how a worker of this process computes. */
final class DeviceOptions {
  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "Where the worker computes: auto, cpu or cuda:N. Default: auto.")
  private Optional<String> device = Optional.empty();

  @Option(
      names = "--lanes",
      paramLabel = "COUNT",
      description =
          "Batches that the worker computes at the same time. Default: what suits the device.")
  private Optional<Integer> lanes = Optional.empty();

  @Option(
      names = "--kernel",
      paramLabel = "NAME",
      converter = KernelChoice.class,
      completionCandidates = KernelChoice.class,
      description = {
        "What multiplies matrices on a CPU: ${COMPLETION-CANDIDATES}. Default: the fastest for each type, measured at start.",
        "Kernels differ in the last bits: name one where workers must agree to the byte."
      })
  private Optional<Kernel> kernel = Optional.empty();

  @Option(
      names = "--weights-memory",
      paramLabel = "BYTES",
      description = {
        "Most memory for one backbone's weights. Default: half of the device's.",
        "A larger one still computes: its blocks are read from disk for each window of batches."
      })
  private Optional<Long> weightsMemoryBytes = Optional.empty();

  boolean isGiven() {
    return device.isPresent()
        || lanes.isPresent()
        || kernel.isPresent()
        || weightsMemoryBytes.isPresent();
  }

  void applyTo(WorkerOptions options) {
    device.ifPresent(options::device);
    lanes.ifPresent(options::lanes);
    options.kernel(kernel);
    weightsMemoryBytes.ifPresent(options::weightsMemoryBytes);
  }

  /** The kernels of a CPU; a GPU has one only. */
  static final class KernelChoice implements ITypeConverter<Kernel>, Iterable<String> {
    private static final List<String> NAMES = List.of("mkl", "onednn");

    @Override
    public Kernel convert(String name) {
      return switch (name) {
        case "mkl" -> Kernel.MKL;
        case "onednn" -> Kernel.ONEDNN;
        default ->
            throw new TypeConversionException(
                "'" + name + "' is not one of " + String.join(", ", NAMES));
      };
    }

    @Override
    public Iterator<String> iterator() {
      return NAMES.iterator();
    }
  }
}

package dev.graft.client.pool;

import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.QuantizationScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a worker must have, by its own description, to get a call of a job. Others are not asked; a
 * job that no worker can do fails. What a worker does not tell of itself it is taken to have.
 *
 * @param device "cpu", "cuda" or "cuda:N"
 * @param memoryBytes least memory of the device; 0 for any
 * @param computeDtype a type of matrix products that it can compute; a job that names one needs it
 *     in any case
 * @param scheme a scheme of quantized weights that it can load
 */
public record Requirements(
    Optional<String> device,
    long memoryBytes,
    Optional<ComputeDtype> computeDtype,
    Optional<QuantizationScheme> scheme) {
  /** Any worker will do. */
  public static Requirements none() {
    return new Requirements(Optional.empty(), 0, Optional.empty(), Optional.empty());
  }

  /** With a device: "cpu", "cuda" or "cuda:N". */
  public Requirements withDevice(String newDevice) {
    return new Requirements(Optional.of(newDevice), memoryBytes, computeDtype, scheme);
  }

  /** With so much memory of the device at least, in bytes. */
  public Requirements withMemoryBytes(long newMemoryBytes) {
    return new Requirements(device, newMemoryBytes, computeDtype, scheme);
  }

  /** With a type of matrix products. */
  public Requirements withComputeDtype(ComputeDtype newComputeDtype) {
    return new Requirements(device, memoryBytes, Optional.of(newComputeDtype), scheme);
  }

  /** With a scheme of quantized weights. */
  public Requirements withScheme(QuantizationScheme newScheme) {
    return new Requirements(device, memoryBytes, computeDtype, Optional.of(newScheme));
  }

  /** With what the spec of the features needs, too. */
  Requirements and(FeatureSpec features) {
    return features.getComputeDtype() == ComputeDtype.COMPUTE_DTYPE_UNSPECIFIED
        ? this
        : withComputeDtype(features.getComputeDtype());
  }

  /** What a worker lacks, each as "device cuda (it has cpu)"; empty if it will do. */
  List<String> lacking(DescribeWorkerResponse worker) {
    List<String> lacking = new ArrayList<>();
    String itsDevice = worker.getDevice().getName();
    device
        .filter(wanted -> !itsDevice.isEmpty() && !isDevice(itsDevice, wanted))
        .ifPresent(wanted -> lacking.add("device %s (it has %s)".formatted(wanted, itsDevice)));
    long itsMemory = worker.getDevice().getTotalMemoryBytes();
    if (itsMemory > 0 && itsMemory < memoryBytes) {
      lacking.add("%d bytes of memory (it has %d)".formatted(memoryBytes, itsMemory));
    }
    computeDtype.ifPresent(
        wanted ->
            lacks("compute type", "COMPUTE_DTYPE_", wanted, worker.getComputeDtypesList())
                .ifPresent(lacking::add));
    scheme.ifPresent(
        wanted ->
            lacks(
                    "quantization scheme",
                    "QUANTIZATION_SCHEME_",
                    wanted,
                    worker.getSupportedSchemesList())
                .ifPresent(lacking::add));
    return lacking;
  }

  private static boolean isDevice(String device, String wanted) {
    return device.equals(wanted) || device.startsWith(wanted + ":");
  }

  private static <E extends Enum<E>> Optional<String> lacks(
      String what, String prefix, E wanted, List<E> supported) {
    if (supported.isEmpty() || supported.contains(wanted)) {
      return Optional.empty();
    }
    List<String> names = supported.stream().map(value -> plain(value, prefix)).toList();
    return Optional.of(
        "%s %s (it has %s)".formatted(what, plain(wanted, prefix), String.join(", ", names)));
  }

  private static String plain(Enum<?> value, String prefix) {
    return value.name().replaceFirst(prefix, "");
  }
}

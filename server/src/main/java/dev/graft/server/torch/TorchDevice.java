package dev.graft.server.torch;

import ai.djl.Device;
import ai.djl.util.cuda.CudaUtils;
import com.sun.management.OperatingSystemMXBean;
import dev.graft.server.GraftException;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where tensors live: the CPU or one GPU. */
public final class TorchDevice {
  public static final TorchDevice CPU = new TorchDevice(Device.cpu());

  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,3}))?");

  private final Device device;

  private TorchDevice(Device device) {
    this.device = device;
  }

  /**
   * Reads {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}. {@code auto} is the first GPU
   * that libtorch can use, or else the CPU.
   *
   * @throws GraftException INVALID_ARGUMENT for another text, FAILED_PRECONDITION
   *     (DEVICE_UNAVAILABLE) for a GPU that is not there or that the libtorch in use cannot drive
   */
  public static TorchDevice parse(String text) {
    String name = text.toLowerCase(Locale.ROOT);
    if (name.equals("cpu")) {
      return CPU;
    }
    int usable = Torch.gpuCount();
    if (name.equals("auto")) {
      return usable > 0 ? new TorchDevice(Device.gpu(0)) : CPU;
    }
    Matcher matcher = CUDA.matcher(name);
    if (!matcher.matches()) {
      throw GraftException.invalidArgument(
              "INVALID_DEVICE", "Unknown device \"" + text + "\": use auto, cpu or cuda:N.")
          .with("device", text);
    }
    int number = matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1));
    if (number >= usable) {
      throw GraftException.failedPrecondition(
              "DEVICE_UNAVAILABLE",
              "Device "
                  + text
                  + " cannot be used: libtorch sees "
                  + usable
                  + " usable GPUs. Install the NVIDIA driver and a CUDA build of libtorch (Maven profile -Pcuda, or"
                  + " PYTORCH_LIBRARY_PATH), or use --device cpu.")
          .with("device", text);
    }
    return new TorchDevice(Device.gpu(number));
  }

  public boolean isCuda() {
    return device.isGpu();
  }

  /** {@code cpu} or {@code cuda:N}, as libtorch writes it. */
  public String name() {
    return isCuda() ? "cuda:" + device.getDeviceId() : "cpu";
  }

  /**
   * What of library and hardware decides the bits of results: kernels are chosen by libtorch's
   * version and by what the processor can do.
   */
  public String fingerprint() {
    return "libtorch "
        + Torch.version()
        + (isCuda()
            ? " cuda %s, compute capability %s, %s"
                .formatted(
                    CudaUtils.getCudaVersionString(),
                    CudaUtils.getComputeCapability(device.getDeviceId()),
                    Processor.gpus())
            : " on " + Processor.cpu());
  }

  /** Memory of the device, in bytes. On a CPU, what this process (or its container) may use. */
  public long totalMemoryBytes() {
    return isCuda() ? CudaUtils.getGpuMemory(device).getMax() : system().getTotalMemorySize();
  }

  /** Memory of the device that is free now, in bytes. */
  public long freeMemoryBytes() {
    if (isCuda()) {
      var usage = CudaUtils.getGpuMemory(device);
      return usage.getMax() - usage.getUsed();
    }
    return system().getFreeMemorySize();
  }

  Device djl() {
    return device;
  }

  private static OperatingSystemMXBean system() {
    return (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  }

  @Override
  public String toString() {
    return name();
  }
}

package dev.graft.server.torch;

/** Where tests compute: on the CPU, or where {@code -Dgraft.test.device=cuda:0} says. */
public final class TestDevice {
  public static final TorchDevice DEVICE =
      TorchDevice.parse(System.getProperty("graft.test.device", "cpu"));

  private TestDevice() {}

  /** The kernel to compute with: a GPU has one, whatever a test tries on a CPU. */
  public static Kernel kernel(Kernel onCpu) {
    return DEVICE.isCuda() ? Kernel.CUBLAS : onCpu;
  }
}

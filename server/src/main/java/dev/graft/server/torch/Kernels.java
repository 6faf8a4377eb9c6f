package dev.graft.server.torch;

import ai.djl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * How fast this device multiplies, by type and kernel: measured, since it differs by an order of
 * magnitude between CPUs of the same name.
 *
 * @param measured every candidate that this device can run
 */
public record Kernels(List<Measured> measured) {
  /**
   * Rows, inputs and outputs of the products that are timed: a small block of a small language
   * model.
   */
  private static final int ROWS = 256;

  private static final int INPUTS = 576;
  private static final int OUTPUTS = 576;

  /**
   * Where a CPU has no instructions for a type, a library may multiply in a plain loop, for
   * seconds. A few rows show that it is out of the question. (With them fbgemm, which packs the
   * weight anew, is far below its speed, and yet far above that of such a loop.)
   */
  private static final int FEW_ROWS = 4;

  private static final double HOPELESS_GFLOPS = 0.2;

  /** A narrower type must be this much faster than fp32 to be worth its rounding. */
  private static final double WORTH_ROUNDING = 1.25;

  /**
   * The kernels in the order of preference: a later one is taken only when it is clearly faster.
   * Features differ in their last bits between kernels, so workers of one kind should not choose by
   * the noise of a measurement.
   */
  private static final List<Kernel> CPU_KERNELS = List.of(Kernel.ONEDNN, Kernel.MKL);

  private static final double CLEARLY_FASTER = 1.3;

  /**
   * One candidate.
   *
   * @param gflops speed on one thread, in 1e9 floating-point operations per second
   */
  public record Measured(ComputeDtype dtype, Kernel kernel, double gflops) {}

  public Kernels {
    measured = List.copyOf(measured);
  }

  /** Measures the device; takes tens of milliseconds. */
  public static Kernels measure(TorchDevice device) {
    List<Measured> measured = new ArrayList<>();
    try (Tensors tensors = Tensors.on(device);
        Scope scope = Scope.open(device);
        Program program =
            Program.assemble(device, ProgramText.of(Kernels.class, "kernels.py", Map.of()))) {
      Tensor x = random(scope, ROWS, INPUTS);
      Tensor fewRows = random(scope, FEW_ROWS, INPUTS);
      Tensor weight = random(scope, OUTPUTS, INPUTS);
      for (ComputeDtype dtype : ComputeDtype.values()) {
        Tensor narrowX = tensors.cast(scope, x, dtype.dtype());
        Tensor narrowFewRows = tensors.cast(scope, fewRows, dtype.dtype());
        Tensor narrowWeight = tensors.cast(scope, weight, dtype.dtype());
        for (Kernel kernel : candidates(device, dtype)) {
          String method =
              switch (kernel) {
                case MKL, CUBLAS -> "mkl";
                case ONEDNN -> "onednn";
                case FBGEMM -> "fbgemm";
              };
          try {
            double gflops = gflops(program, scope, method, narrowFewRows, narrowWeight, FEW_ROWS);
            if (gflops > HOPELESS_GFLOPS) {
              gflops = gflops(program, scope, method, narrowX, narrowWeight, ROWS);
            }
            measured.add(new Measured(dtype, kernel, gflops));
          } catch (EngineException e) {
            // A library refuses what the CPU has no instructions for: then it is no candidate.
            System.getLogger(Kernels.class.getName())
                .log(System.Logger.Level.DEBUG, () -> kernel + " has no product of " + dtype, e);
          }
        }
      }
    }
    return new Kernels(measured);
  }

  private static List<Kernel> candidates(TorchDevice device, ComputeDtype dtype) {
    return switch (dtype) {
      case FP32, BF16, FP16 -> device.isCuda() ? List.of(Kernel.CUBLAS) : CPU_KERNELS;
      case INT8_DYNAMIC -> device.isCuda() ? List.of() : List.of(Kernel.FBGEMM);
    };
  }

  private static double gflops(
      Program program, Scope scope, String method, Tensor x, Tensor weight, int rows) {
    seconds(program, scope, method, x, weight, 1);
    double once = seconds(program, scope, method, x, weight, 1);
    int repeats = (int) Math.max(1, Math.min(16, 0.004 / once));
    double best = once;
    for (int i = 0; i < 6; i++) {
      best = Math.min(best, seconds(program, scope, method, x, weight, repeats) / repeats);
    }
    return 2.0 * rows * INPUTS * OUTPUTS / best / 1e9;
  }

  private static double seconds(
      Program program, Scope scope, String method, Tensor x, Tensor weight, int repeats) {
    long start = System.nanoTime();
    // Reading the sum waits for a GPU to be done.
    program.call(scope, method, x, weight, repeats).toFloats();
    return (System.nanoTime() - start) / 1e9;
  }

  private static Tensor random(Scope scope, int rows, int columns) {
    Random random = new Random(0);
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * 0.1f;
    }
    return scope.floats(values, rows, columns);
  }

  /** The same without other kernels, for the types that {@code kernel} has. */
  public Kernels restrictedTo(Kernel kernel) {
    return new Kernels(
        measured.stream()
            .filter(
                candidate ->
                    candidate.kernel() == kernel
                        || measured.stream()
                            .noneMatch(
                                other ->
                                    other.dtype() == candidate.dtype() && other.kernel() == kernel))
            .toList());
  }

  /** The kernel for a type: the fastest, or one that is hardly slower. */
  public Kernel kernel(ComputeDtype dtype) {
    return best(dtype).kernel();
  }

  /** What {@code auto} stands for: fp32, unless a narrower type is clearly faster. */
  public ComputeDtype fastest() {
    double limit = best(ComputeDtype.FP32).gflops() * WORTH_ROUNDING;
    // bf16 before fp16: it has the range of fp32, where fp16 overflows in some models.
    if (has(ComputeDtype.BF16) && best(ComputeDtype.BF16).gflops() > limit) {
      return ComputeDtype.BF16;
    }
    return ComputeDtype.FP32;
  }

  private boolean has(ComputeDtype dtype) {
    return measured.stream().anyMatch(candidate -> candidate.dtype() == dtype);
  }

  private Measured best(ComputeDtype dtype) {
    Measured best = null;
    for (Measured candidate : measured) {
      boolean faster = best == null || candidate.gflops() > best.gflops() * CLEARLY_FASTER;
      if (candidate.dtype() == dtype && faster) {
        best = candidate;
      }
    }
    if (best == null) {
      throw new IllegalStateException("Nothing was measured for " + dtype);
    }
    return best;
  }
}

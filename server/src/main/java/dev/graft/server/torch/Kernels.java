package dev.graft.server.torch;

import ai.djl.engine.EngineException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/**
 * How fast this device multiplies, by type and kernel: measured, since it differs by an order of
 * magnitude between CPUs of the same name.
 *
 * @param measured every candidate that this device can run
 */
public record Kernels(List<Measured> measured) {
  /** The size of the products that are timed. */
  private record Size(int rows, int features) {
    /** A small batch of a small language model. */
    static final Size CPU = new Size(256, 576);

    /** Enough to fill a GPU: of less, the start of a kernel is all that a clock shows. */
    static final Size GPU = new Size(2048, 2048);
  }

  /**
   * Where a CPU has no instructions for a type, a library may multiply in a plain loop, for
   * seconds. A few rows show that it is out of the question. (With them fbgemm, which packs the
   * weight anew, is far below its speed, and yet far above that of such a loop.)
   */
  private static final int FEW_ROWS = 4;

  private static final double HOPELESS_GFLOPS = 0.2;

  /** Tries of each kernel, of about 4 ms each. */
  private static final int TURNS = 8;

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
    Size size = device.isCuda() ? Size.GPU : Size.CPU;
    try (Tensors tensors = Tensors.on(device);
        Scope scope = Scope.open(device);
        Program program =
            Program.assemble(device, ProgramText.of(Kernels.class, "kernels.py", Map.of()))) {
      Tensor x = random(scope, size.rows(), size.features());
      Tensor fewRows = random(scope, FEW_ROWS, size.features());
      Tensor weight = random(scope, size.features(), size.features());
      for (ComputeDtype dtype : ComputeDtype.values()) {
        Tensor narrowX = tensors.cast(scope, x, dtype.dtype());
        Tensor narrowFewRows = tensors.cast(scope, fewRows, dtype.dtype());
        Tensor narrowWeight = tensors.cast(scope, weight, dtype.dtype());
        Map<Kernel, Product> products = new LinkedHashMap<>();
        for (Kernel kernel : candidates(device, dtype)) {
          String method =
              switch (kernel) {
                case MKL, CUBLAS -> "mkl";
                case ONEDNN ->
                    kernel.packing(dtype) == Kernel.Packing.NONE ? "onednn" : "onednn_packed";
                case FBGEMM -> "fbgemm";
              };
          Product few = new Product(program, scope, method, narrowFewRows, narrowWeight);
          Product whole = new Product(program, scope, method, narrowX, narrowWeight);
          try {
            few.seconds(1); // the first also pays for what is made once
            double gflops = few.gflops(few.seconds(1));
            if (gflops > HOPELESS_GFLOPS) {
              products.put(kernel, whole);
            } else {
              measured.add(new Measured(dtype, kernel, gflops));
            }
          } catch (EngineException e) {
            // A library refuses what the CPU has no instructions for: then it is no candidate.
            System.getLogger(Kernels.class.getName())
                .log(System.Logger.Level.DEBUG, () -> kernel + " has no product of " + dtype, e);
          }
        }
        List<Kernel> kernels = List.copyOf(products.keySet());
        List<Double> gflops = gflops(List.copyOf(products.values()));
        for (int i = 0; i < kernels.size(); i++) {
          measured.add(new Measured(dtype, kernels.get(i), gflops.get(i)));
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

  /** Takes turns, so that all meet the same disturbances, and the best try of each counts. */
  private static List<Double> gflops(List<Product> products) {
    double[] best = new double[products.size()];
    int[] repeats = new int[products.size()];
    for (int i = 0; i < best.length; i++) {
      products.get(i).seconds(1);
      best[i] = products.get(i).seconds(1);
      repeats[i] = (int) Math.max(1, Math.min(16, 0.004 / best[i]));
    }
    for (int turn = 0; turn < TURNS; turn++) {
      for (int i = 0; i < best.length; i++) {
        best[i] = Math.min(best[i], products.get(i).seconds(repeats[i]));
      }
    }
    return IntStream.range(0, best.length).mapToObj(i -> products.get(i).gflops(best[i])).toList();
  }

  private record Product(Program program, Scope scope, String method, Tensor x, Tensor weight) {
    /** The time of one, of so many in a row. */
    double seconds(int repeats) {
      // On a CPU only this thread computes. Its own time leaves out what other processes take, so
      // that workers on a busy machine choose the kernels that they choose on a quiet one.
      LongSupplier clock =
          scope.device().isCuda()
              ? System::nanoTime
              : ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime;
      long start = clock.getAsLong();
      // Reading the sum waits for a GPU to be done.
      program.call(scope, method, x, weight, repeats).toFloats();
      return (clock.getAsLong() - start) / 1e9 / repeats;
    }

    double gflops(double seconds) {
      long[] outputsAndInputs = weight.shape();
      return 2.0 * x.shape()[0] * outputsAndInputs[0] * outputsAndInputs[1] / seconds / 1e9;
    }
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

  /**
   * The same for weights that are mapped, so that none can be packed: in 16 bits {@code
   * torch.linear} orders them faster, unless it is clearly slower as a whole.
   */
  public Kernel kernelForMapped(ComputeDtype dtype) {
    Measured best = best(dtype);
    boolean plain =
        best.kernel().packing(dtype) != Kernel.Packing.NONE
            && measured.stream()
                .filter(each -> each.dtype() == dtype && each.kernel() == Kernel.MKL)
                .anyMatch(each -> each.gflops() * CLEARLY_FASTER > best.gflops());
    return plain ? Kernel.MKL : best.kernel();
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

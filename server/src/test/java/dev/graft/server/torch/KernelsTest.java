package dev.graft.server.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.torch.Kernels.Measured;
import java.util.List;
import org.junit.jupiter.api.Test;

final class KernelsTest {
  private static final Kernels ALIKE =
      new Kernels(
          List.of(
              new Measured(ComputeDtype.FP32, Kernel.ONEDNN, 100),
              new Measured(ComputeDtype.FP32, Kernel.MKL, 125),
              new Measured(ComputeDtype.BF16, Kernel.ONEDNN, 800),
              new Measured(ComputeDtype.BF16, Kernel.MKL, 1000),
              new Measured(ComputeDtype.INT8_DYNAMIC, Kernel.FBGEMM, 50)));

  @Test
  void theFirstUnlessAnotherIsClearlyFaster() {
    assertThat(ALIKE.kernel(ComputeDtype.FP32)).isEqualTo(Kernel.ONEDNN);
    assertThat(ALIKE.kernel(ComputeDtype.BF16)).isEqualTo(Kernel.ONEDNN);
    Kernels faster =
        new Kernels(
            List.of(
                new Measured(ComputeDtype.FP32, Kernel.ONEDNN, 100),
                new Measured(ComputeDtype.FP32, Kernel.MKL, 135)));
    assertThat(faster.kernel(ComputeDtype.FP32)).isEqualTo(Kernel.MKL);
  }

  @Test
  void mappedWeightsInSixteenBitsAreNotLeftToTheKernelThatPacks() {
    assertThat(ALIKE.kernelForMapped(ComputeDtype.FP32)).isEqualTo(Kernel.ONEDNN);
    assertThat(ALIKE.kernelForMapped(ComputeDtype.BF16)).isEqualTo(Kernel.MKL);
    assertThat(ALIKE.restrictedTo(Kernel.ONEDNN).kernelForMapped(ComputeDtype.BF16))
        .isEqualTo(Kernel.ONEDNN);
  }

  @Test
  void restrictedWhereThereIsAChoice() {
    Kernels restricted = ALIKE.restrictedTo(Kernel.MKL);
    assertThat(restricted.kernel(ComputeDtype.BF16)).isEqualTo(Kernel.MKL);
    assertThat(restricted.kernel(ComputeDtype.INT8_DYNAMIC)).isEqualTo(Kernel.FBGEMM);
  }

  @Test
  void autoIsNarrowWhereThatIsClearlyFaster() {
    assertThat(ALIKE.fastest()).isEqualTo(ComputeDtype.BF16);
    assertThat(new Kernels(ALIKE.measured().subList(0, 2)).fastest()).isEqualTo(ComputeDtype.FP32);
  }

  @Test
  void theCpuMultipliesInThirtyTwoBits() {
    assertThat(Kernels.measure(TorchDevice.CPU).measured())
        .anyMatch(each -> each.dtype() == ComputeDtype.FP32 && each.gflops() > 0);
  }
}

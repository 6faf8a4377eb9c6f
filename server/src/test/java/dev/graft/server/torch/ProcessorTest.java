package dev.graft.server.torch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProcessorTest {
  @Test
  void tellsWhatLibrariesChooseKernelsBy() {
    assertThat(
            Processor.facts(
                """
                processor	: 0
                vendor_id	: GenuineIntel
                cpu family	: 6
                model		: 143
                model name	: A name that says nothing
                cpu MHz		: 2000.123
                flags		: fpu sse2 sse4_2 amx_tile avx2 avx512f fma ibpb

                processor	: 1
                vendor_id	: Other
                """))
        .containsExactly(
            "vendor_id GenuineIntel",
            "cpu family 6",
            "model 143",
            "amx_tile avx2 avx512f fma sse4_2");
  }

  @Test
  void aDeviceNamesItsLibrary() {
    assertThat(TorchDevice.CPU.fingerprint())
        .matches("libtorch \\d+\\.\\d+\\.\\d+\\S* on .+")
        .isEqualTo(TorchDevice.CPU.fingerprint());
  }
}

package dev.graft.server.quantizing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.torch.DType;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the libraries packed is decoded to their own values, bit for bit. */
class PackedGoldenTest {
  static List<String> names() {
    return Stream.of("gptq", "awq")
        .flatMap(scheme -> PackedFixture.names(scheme).stream())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyWeightIsTheLibrarys(String name) {
    PackedFixture fixture = PackedFixture.of(name);
    Checkpoint checkpoint = fixture.open();
    Map<String, String> digests = new TreeMap<>();
    for (String module : fixture.digests().keySet()) {
      float[] values = PackedFixture.decode(find(checkpoint, name, module), DType.F32);
      digests.put(module, PackedFixture.sha256(values));
    }
    assertThat(digests).hasSize(14).isEqualTo(fixture.digests());
  }

  private static QuantizedWeight find(Checkpoint checkpoint, String name, String module) {
    long[] shape = PackedFixture.shape(module);
    String weight = module + ".weight";
    return (name.startsWith("gptq")
            ? Gptq.find(checkpoint, weight, shape)
            : Awq.find(checkpoint, weight, shape))
        .orElseThrow();
  }
}

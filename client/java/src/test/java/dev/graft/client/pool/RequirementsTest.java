package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.v1.ComputeDtype;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.LoadedBackbone;
import dev.graft.v1.QuantizationScheme;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What workers lack, and which are preferred. */
class RequirementsTest {
  private static final DescribeWorkerResponse WORKER = worker("cuda:1", 1_000);

  private static DescribeWorkerResponse worker(String device, long memory) {
    DescribeWorkerResponse.Builder worker =
        DescribeWorkerResponse.newBuilder()
            .addComputeDtypes(ComputeDtype.COMPUTE_DTYPE_FP32)
            .addComputeDtypes(ComputeDtype.COMPUTE_DTYPE_BF16)
            .addSupportedSchemes(QuantizationScheme.QUANTIZATION_SCHEME_NF4);
    worker.getDeviceBuilder().setName(device).setTotalMemoryBytes(memory);
    return worker.build();
  }

  @Test
  void aWorkerThatHasItAllLacksNothing() {
    Requirements all =
        Requirements.none()
            .withDevice("cuda")
            .withMemoryBytes(1_000)
            .withComputeDtype(ComputeDtype.COMPUTE_DTYPE_BF16)
            .withScheme(QuantizationScheme.QUANTIZATION_SCHEME_NF4);
    assertThat(all.lacking(WORKER)).isEmpty();
    assertThat(all.withDevice("cuda:1").lacking(WORKER)).isEmpty();
    assertThat(all.lacking(DescribeWorkerResponse.getDefaultInstance()))
        .as("what it does not tell")
        .isEmpty();
  }

  @Test
  void allThatIsLackingIsNamed() {
    assertThat(
            Requirements.none()
                .withDevice("cuda:0")
                .withMemoryBytes(1_001)
                .withComputeDtype(ComputeDtype.COMPUTE_DTYPE_FP16)
                .withScheme(QuantizationScheme.QUANTIZATION_SCHEME_Q4_0)
                .lacking(WORKER))
        .containsExactly(
            "device cuda:0 (it has cuda:1)",
            "1001 bytes of memory (it has 1000)",
            "compute type FP16 (it has FP32, BF16)",
            "quantization scheme Q4_0 (it has NF4)");
    assertThat(Requirements.none().withDevice("cud").lacking(WORKER)).hasSize(1);
  }

  @Test
  void theSpecsComputeTypeIsNeeded() {
    Requirements needed =
        Requirements.none()
            .and(
                FeatureSpec.newBuilder()
                    .setComputeDtype(ComputeDtype.COMPUTE_DTYPE_INT8_DYNAMIC)
                    .build());
    assertThat(needed.lacking(WORKER))
        .containsExactly("compute type INT8_DYNAMIC (it has FP32, BF16)");
    assertThat(Requirements.none().and(FeatureSpec.getDefaultInstance()).lacking(WORKER)).isEmpty();
  }

  @Test
  void aBackboneIsKnownByItsDirectory() {
    assertThat(isLoaded("all-MiniLM-L6-v2", "/models/all-MiniLM-L6-v2")).isTrue();
    assertThat(isLoaded("MiniLM", "/models/all-MiniLM")).isFalse();
    assertThat(isLoaded("/models/b", "/models/b")).isTrue();
    assertThat(isLoaded("hf://org/name@main", "/hub/models--org--name/snapshots/0a1b")).isTrue();
    assertThat(isLoaded("hf://org/name/x.gguf", "/hub/models--org--name/snapshots/1/x")).isTrue();
    assertThat(isLoaded("hf://org/name", "/hub/models--org--name2/snapshots/0a1b")).isFalse();
    assertThat(isLoaded("", "/models/b")).as("none is needed").isTrue();
  }

  private static boolean isLoaded(String backbone, String directory) {
    return WorkerChoice.of(Requirements.none(), backbone)
        .isLoadedAt(
            WORKER.toBuilder()
                .addLoadedBackbones(LoadedBackbone.newBuilder().setPath(directory))
                .build());
  }

  @Test
  void memoryIsPreferredWhereTheSizeIsKnown() {
    WorkerChoice choice = WorkerChoice.of(Requirements.none(), "b");
    DescribeWorkerResponse loaded =
        worker("cpu", 500).toBuilder()
            .addLoadedBackbones(LoadedBackbone.newBuilder().setPath("/models/b").setBytes(800))
            .build();
    long bytes = choice.backboneBytes(List.of(WORKER, loaded));
    assertThat(bytes).isEqualTo(800);
    assertThat(choice.rank(loaded, bytes)).isZero();
    assertThat(choice.rank(WORKER, bytes)).isEqualTo(1);
    assertThat(choice.rank(worker("cpu", 799), bytes)).isEqualTo(2);
    assertThat(choice.rank(worker("cpu", 799), 0)).as("size unknown").isEqualTo(1);
  }
}

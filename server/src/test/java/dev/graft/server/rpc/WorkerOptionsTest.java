package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.graft.server.GraftException;
import dev.graft.server.torch.Kernel;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class WorkerOptionsTest {
  @Test
  void defaultsFitTheHeap() {
    long heap = Runtime.getRuntime().maxMemory();
    WorkerOptions options = new WorkerOptions();
    assertThat(options.maxTrainFeatureBytes()).isPositive().isLessThanOrEqualTo(heap / 4);
    assertThat(options.maxFileBytes()).isPositive().isLessThanOrEqualTo(heap / 16);
  }

  @Test
  void refusesWhatNoWorkerCanDo() {
    refused("listen", options -> options.listen("localhost", 65_536));
    refused("lanes", options -> options.lanes(-1));
    refused("lanes", options -> options.lanes(Integer.MAX_VALUE));
    refused("tokens_per_batch", options -> options.tokensPerBatch(-1));
    refused("weights_memory_bytes", options -> options.weightsMemoryBytes(-1));
    refused("cache_memory_bytes", options -> options.cacheMemoryBytes(-1));
    refused("cache_disk_bytes", options -> options.cacheDiskBytes(-1));
    refused("max_message_bytes", options -> options.maxMessageBytes((128 << 10) - 1));
    refused("max_concurrent_calls", options -> options.maxConcurrentCalls(0));
    refused("max_file_bytes", options -> options.maxFileBytes(-1));
    refused("max_file_bytes", options -> options.maxFileBytes(1L << 31));
    refused("max_train_feature_bytes", options -> options.maxTrainFeatureBytes(-1));
    refused("spec_timeout", options -> options.specTimeout(Duration.ZERO));
    refused("drain_grace", options -> options.drainGrace(Duration.ofNanos(-1)));
  }

  @Test
  void aKernelThatTheDeviceHasForNoTypeIsRefusedAtTheStart() {
    WorkerOptions options = new WorkerOptions().device("cpu").kernel(Optional.of(Kernel.CUBLAS));
    GraftException error =
        catchThrowableOfType(GraftException.class, () -> new WorkerServices(options).close());
    assertThat(error.reason()).isEqualTo("INVALID_OPTION");
    assertThat(error.metadata()).containsEntry("option", "kernel");
    assertThat(error).hasMessageContaining("CUBLAS").hasMessageContaining("MKL");
  }

  @Test
  void chunksFitTheirMessages() {
    assertThat(new WorkerLimits(1 << 20, 1, 1).chunkBytes()).isEqualTo(256 << 10);
    assertThat(new WorkerLimits(128 << 10, 1, 1).chunkBytes()).isEqualTo(64 << 10);
  }

  @Test
  void batchesOfAGpuFollowFromItsModelAlone() {
    assertThat(WorkerServices.gpuTokensPerBatch(0)).isEqualTo(1024);
    assertThat(WorkerServices.gpuTokensPerBatch(85_000_000_000L)).isEqualTo(65_536);
    assertThat(WorkerServices.gpuTokensPerBatch(8L << 30)).isEqualTo(16_384);
    assertThat(WorkerServices.gpuTokensPerBatch((8L << 30) + 123_456_789)).isEqualTo(16_384);
  }

  private static void refused(String option, Consumer<WorkerOptions> setter) {
    GraftException error =
        catchThrowableOfType(GraftException.class, () -> setter.accept(new WorkerOptions()));
    assertThat(error.reason()).isEqualTo("INVALID_OPTION");
    assertThat(error.metadata()).containsEntry("option", option);
    assertThat(error).hasMessageContaining(option);
  }
}

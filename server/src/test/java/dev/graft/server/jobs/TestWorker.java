package dev.graft.server.jobs;

import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.extraction.FeatureCache;
import dev.graft.server.extraction.Pooler;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.Lanes;
import dev.graft.server.torch.TestDevice;
import dev.graft.server.training.FeatureMemory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What a worker's jobs share, on a CPU that computes fp32 alone. */
final class TestWorker implements AutoCloseable {
  static final Path GOLDEN = Path.of("src/test/resources/golden");

  final WorkerResources resources;

  TestWorker(Path root) {
    this(root, 128, 1 << 20);
  }

  TestWorker(Path root, int tokensPerBatch, long maxTrainFeatureBytes) {
    this(root, tokensPerBatch, maxTrainFeatureBytes, Long.MAX_VALUE);
  }

  TestWorker(Path root, int tokensPerBatch, long maxTrainFeatureBytes, long weightsMemoryBytes) {
    Kernels kernels =
        new Kernels(
            List.of(new Kernels.Measured(ComputeDtype.FP32, TestDevice.kernel(Kernel.MKL), 1)));
    this.resources =
        new WorkerResources(
            TestDevice.DEVICE,
            kernels,
            ComputeDtype.FP32,
            Lanes.start(1),
            new BackboneStore(
                BackbonePlaces.of(ModelRoots.of(List.of(root))),
                TestDevice.DEVICE,
                kernels,
                weightsMemoryBytes),
            new Pooler(TestDevice.DEVICE),
            FeatureCache.inMemory(0),
            tokensPerBatch,
            new FeatureMemory(maxTrainFeatureBytes));
  }

  static FeatureRequest ready() {
    return request(Optional.empty(), Optional.empty());
  }

  static FeatureRequest on(String backbone) {
    return request(Optional.of(backbone), Optional.empty());
  }

  static FeatureRequest request(Optional<String> backbone, Optional<ComputeDtype> dtype) {
    return new FeatureRequest(
        backbone, Optional.empty(), OptionalInt.empty(), false, dtype, 0, true);
  }

  @Override
  public void close() {
    resources.lanes().close();
    resources.backbones().close();
    resources.pooler().close();
  }
}

package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import dev.graft.server.checkpoints.Checkpoint;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.hub.FakeHub;
import dev.graft.server.hub.Hub;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Kernels;
import dev.graft.server.torch.TestDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class BackbonePlacesTest {
  private static final Path BACKBONE = TestWorker.GOLDEN.resolve("bert");

  @TempDir private Path cache;

  @Test
  void aBackboneOnAHubIsLoadedAsFromADirectory() throws IOException {
    try (FakeHub remote =
        new FakeHub()
            .with("config.json", Files.readString(BACKBONE.resolve("config.json")))
            .with("model.safetensors", Files.readAllBytes(BACKBONE.resolve("model.safetensors")))) {
      try (BackboneStore store = store(remote);
          BackboneStore.Lease first = store.acquire("hf://graft/tiny");
          BackboneStore.Lease second = store.acquire("hf://graft/tiny@" + FakeHub.COMMIT)) {
        assertThat(second.backbone()).isSameAs(first.backbone());
        assertThat(first.backbone().backbone().info().digest())
            .isEqualTo(Checkpoint.open(BACKBONE).digest());
      }
    }
  }

  @Test
  void aGgufFileOnAHubIsLoadedByItsNameThere() throws IOException {
    Path gguf = Path.of("src/test/resources/gguf/llama-tiny.q4_0.gguf");
    try (FakeHub remote = new FakeHub().with("tiny.gguf", Files.readAllBytes(gguf));
        BackboneStore store = store(remote);
        BackboneStore.Lease lease = store.acquire("hf://graft/tiny/tiny.gguf")) {
      assertThat(lease.backbone().backbone().info().digest())
          .isEqualTo(Checkpoint.open(gguf).digest());
    }
  }

  private BackboneStore store(FakeHub remote) {
    Hub hub = new Hub(remote.settings(cache.resolve("hub")));
    return new BackboneStore(
        new BackbonePlaces(ModelRoots.of(List.of(hub.cache())), Optional.of(hub)),
        TestDevice.DEVICE,
        new Kernels(
            List.of(new Kernels.Measured(ComputeDtype.FP32, TestDevice.kernel(Kernel.MKL), 1))),
        Long.MAX_VALUE);
  }

  @Test
  void aWorkerWithoutAHubFetchesNothing() {
    assertFails("hf://graft/tiny", Category.PERMISSION_DENIED, "HUB_DISABLED");
    assertFails("hf://graft", Category.INVALID_ARGUMENT, "INVALID_BACKBONE_PATH");
  }

  private void assertFails(String path, Category category, String reason) {
    BackbonePlaces places = BackbonePlaces.of(ModelRoots.of(List.of(cache)));
    assertThatThrownBy(() -> places.resolve(path))
        .isInstanceOfSatisfying(
            GraftException.class,
            e -> {
              assertThat(e.category()).isEqualTo(category);
              assertThat(e.reason()).isEqualTo(reason);
            })
        .hasMessageContaining(path);
  }
}

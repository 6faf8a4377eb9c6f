package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.server.backbones.Backbone;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.backbones.TokenBatch;
import dev.graft.server.checkpoints.ModelRoots;
import dev.graft.server.torch.ComputeDtype;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class BackboneStoreTest {
  @TempDir Path root;

  private final Loader loader = new Loader();
  private BackboneStore store;

  @BeforeEach
  void makeDirectories() throws IOException {
    for (String name : List.of("a", "b", "c", "d")) {
      Files.createDirectory(root.resolve(name));
    }
    store = new BackboneStore(BackbonePlaces.of(ModelRoots.of(List.of(root))), loader);
  }

  @Test
  void loadsOnceForAll() {
    try (BackboneStore.Lease first = store.acquire("a");
        BackboneStore.Lease second = store.acquire("a")) {
      assertThat(second.backbone()).isSameAs(first.backbone());
    }
    store.acquire("a").close();
    assertThat(loader.loads).containsExactly("a");
    assertThat(loader.freed).isEmpty();
  }

  @Test
  void aFileIsABackbone() throws IOException {
    Path file = Files.writeString(root.resolve("e.gguf"), "one");
    store.acquire("e.gguf").close();
    store.acquire("e.gguf").close();
    Files.writeString(file, "another");
    store.acquire("e.gguf").close();

    assertThat(loader.loads).containsExactly("e.gguf", "e.gguf");
    assertThat(loader.freed).containsExactly("e.gguf");
  }

  @Test
  void nothingWaitsForALoadButWhoWantsThatBackbone() throws Exception {
    BackboneStore.Lease held = store.acquire("b");
    CountDownLatch gate = loader.blocks("a");
    CompletableFuture<BackboneStore.Lease> first = acquiring("a");
    loader.awaitLoading("a");
    CompletableFuture<BackboneStore.Lease> second = acquiring("a");
    assertThat(names(store.loaded())).containsExactly("b");
    held.close();
    store.acquire("c").close();
    assertThat(first).isNotDone();
    assertThat(second).isNotDone();
    gate.countDown();
    assertThat(second.get().backbone()).isSameAs(first.get().backbone());
    assertThat(loader.loads).containsExactly("b", "a", "c");
  }

  @Test
  void aFailedLoadIsToldToAllAndTriedAgain() throws Exception {
    CountDownLatch gate = loader.blocks("a");
    loader.failures.put("a", new IllegalStateException("on purpose"));
    CompletableFuture<BackboneStore.Lease> first = acquiring("a");
    loader.awaitLoading("a");
    CompletableFuture<BackboneStore.Lease> second = acquiring("a");
    gate.countDown();
    assertThatThrownBy(first::get).hasRootCauseMessage("on purpose");
    assertThatThrownBy(second::get).hasRootCauseMessage("on purpose");
    loader.failures.clear();
    store.acquire("a").close();
    assertThat(names(store.loaded())).containsExactly("a");
  }

  @Test
  void keepsTwoIdleOnes() {
    for (String name : List.of("a", "b", "a", "c")) {
      store.acquire(name).close();
      assertThat(store.loaded()).hasSizeLessThanOrEqualTo(2);
    }
    assertThat(loader.freed).containsExactly("b");
    BackboneStore.Lease held = store.acquire("a");
    store.acquire("b").close();
    store.acquire("d").close();
    assertThat(loader.freed).containsExactly("b", "c");
    held.close();
    assertThat(loader.freed).containsExactly("b", "c", "b");
  }

  @Test
  void changedFilesAreLoadedAnewAndTheOldGoWithTheirLastUser() throws IOException {
    BackboneStore.Lease old = store.acquire("a");
    Files.writeString(root.resolve("a").resolve("config.json"), "{}");
    BackboneStore.Lease fresh = store.acquire("a");
    assertThat(fresh.backbone()).isNotSameAs(old.backbone());
    assertThat(loader.freed).isEmpty();
    old.close();
    old.close();
    assertThat(loader.freed).containsExactly("a");
    assertThat(store.loaded()).containsExactly(fresh.backbone());
    fresh.close();
    Files.writeString(root.resolve("a").resolve("config.json"), "{ }");
    store.acquire("a").close();
    assertThat(loader.freed).containsExactly("a", "a");
  }

  @Test
  void closingLeavesWhatIsInUseToItsUser() {
    store.acquire("a").close();
    BackboneStore.Lease held = store.acquire("b");
    store.close();
    assertThat(loader.freed).containsExactly("a");
    held.close();
    assertThat(loader.freed).containsExactly("a", "b");
  }

  private CompletableFuture<BackboneStore.Lease> acquiring(String name) {
    return CompletableFuture.supplyAsync(() -> store.acquire(name));
  }

  private static List<String> names(List<LoadedBackbone> backbones) {
    return backbones.stream().map(loaded -> loaded.directory().getFileName().toString()).toList();
  }

  /** Makes backbones that can nothing but be freed. */
  private static final class Loader implements BackboneLoader {
    private final List<String> loads = Collections.synchronizedList(new ArrayList<>());
    private final List<String> freed = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, RuntimeException> failures = new HashMap<>();
    private final Map<String, CountDownLatch> gates = new HashMap<>();
    private final Map<String, CountDownLatch> loading = new HashMap<>();

    CountDownLatch blocks(String name) {
      loading.put(name, new CountDownLatch(1));
      gates.put(name, new CountDownLatch(1));
      return gates.get(name);
    }

    void awaitLoading(String name) throws InterruptedException {
      assertThat(loading.get(name).await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Override
    public LoadedBackbone load(Path directory) {
      String name = directory.getFileName().toString();
      loads.add(name);
      if (gates.containsKey(name)) {
        loading.get(name).countDown();
        try {
          assertThat(gates.get(name).await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
      if (failures.containsKey(name)) {
        throw failures.get(name);
      }
      return new LoadedBackbone(
          directory, null, new FakeBackbone(() -> freed.add(name)), Optional.empty(), "");
    }
  }

  private record FakeBackbone(Runnable whenFreed) implements Backbone {
    @Override
    public BackboneInfo info() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void load(ComputeDtype dtype) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Tensor hiddenStates(Scope scope, TokenBatch batch, int layer, ComputeDtype dtype) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String programText(ComputeDtype dtype) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
      whenFreed.run();
    }
  }
}

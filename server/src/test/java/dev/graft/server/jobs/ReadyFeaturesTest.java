package dev.graft.server.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.extraction.ItemFeatures;
import dev.graft.server.torch.Lanes;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReadyFeaturesTest {
  private final Lanes lanes = Lanes.start(1);
  private final ConcurrentLinkedQueue<List<ItemFeatures>> steps = new ConcurrentLinkedQueue<>();
  private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

  @AfterEach
  void stop() {
    lanes.close();
  }

  @Test
  void whatComesTogetherIsOneStep() {
    ReadyFeatures ready = new ReadyFeatures(lanes.open(), steps::add, failure::complete);
    for (int i = 0; i < 6; i++) {
      ready.add(feature(i));
      if (i % 3 == 2) {
        ready.submit();
      }
    }
    awaitDone(ready);
    assertThat(steps).hasSize(2).allSatisfy(step -> assertThat(step).hasSize(3));
  }

  @Test
  void theCallerWaitsWhileManyStepsWait() {
    CountDownLatch begin = new CountDownLatch(1);
    ReadyFeatures ready =
        new ReadyFeatures(
            lanes.open(),
            step -> {
              try {
                begin.await();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            },
            failure::complete);
    for (int i = 0; i < 4; i++) {
      submit(ready);
    }
    CompletableFuture<Void> atOnce = new CompletableFuture<>();
    ready.whenReady(() -> atOnce.complete(null));
    assertThat(atOnce).isDone();
    submit(ready);
    CompletableFuture<Void> later = new CompletableFuture<>();
    ready.whenReady(() -> later.complete(null));
    assertThat(later).isNotDone();
    begin.countDown();
    later.join();
    awaitDone(ready);
  }

  @Test
  void nothingIsDoneAfterAFailure() {
    ReadyFeatures ready =
        new ReadyFeatures(
            lanes.open(),
            step -> {
              throw new AssertionError("on purpose");
            },
            failure::complete);
    submit(ready);
    assertThat(failure.join()).hasMessage("on purpose");
    CompletableFuture<Void> done = new CompletableFuture<>();
    ready.whenDone(() -> done.complete(null));
    assertThat(done).isNotDone();
    CompletableFuture<Void> atOnce = new CompletableFuture<>();
    ready.whenReady(() -> atOnce.complete(null));
    assertThat(atOnce).isDone();
  }

  private static void awaitDone(ReadyFeatures ready) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    ready.whenDone(() -> done.complete(null));
    done.join();
  }

  private static void submit(ReadyFeatures ready) {
    ready.add(feature(0));
    ready.submit();
  }

  private static ItemFeatures feature(long slot) {
    return new ItemFeatures(slot, new float[1], 0, 0);
  }
}

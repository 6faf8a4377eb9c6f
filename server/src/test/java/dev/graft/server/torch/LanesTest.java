package dev.graft.server.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class LanesTest {
  @Test
  void callsTakeTurnsStepByStep() throws Exception {
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch begin = new CountDownLatch(1);
    CompletableFuture<Void> last = new CompletableFuture<>();
    try (Lanes lanes = Lanes.start(1)) {
      Lanes.Turns first = lanes.open();
      Lanes.Turns second = lanes.open();
      first.submit(
          () -> {
            running.countDown();
            begin.await();
            return order.add("first 0");
          },
          (done, error) -> {});
      running.await();
      for (int i = 1; i <= 3; i++) {
        String name = "first " + i;
        first.submit(() -> order.add(name), (done, error) -> {});
      }
      second.submit(() -> order.add("second 0"), (done, error) -> {});
      second.submit(() -> order.add("second 1"), (done, error) -> {});
      first.submit(() -> order.add("first 4"), (done, error) -> last.complete(null));
      begin.countDown();
      last.get();
    }
    assertThat(order)
        .containsExactly(
            "first 0", "first 1", "second 0", "first 2", "second 1", "first 3", "first 4");
  }

  @Test
  void closingACallCancelsItsWaitingStepsOnly() throws Exception {
    CountDownLatch begin = new CountDownLatch(1);
    CountDownLatch running = new CountDownLatch(1);
    CompletableFuture<Throwable> cancelled = new CompletableFuture<>();
    CompletableFuture<String> other = new CompletableFuture<>();
    try (Lanes lanes = Lanes.start(1)) {
      Lanes.Turns call = lanes.open();
      call.submit(
          () -> {
            running.countDown();
            begin.await();
            return null;
          },
          (done, error) -> {});
      call.submit(() -> "never", (done, error) -> cancelled.complete(error));
      running.await();
      call.close();
      assertThat(cancelled.get()).isInstanceOf(CancellationException.class);
      begin.countDown();
      lanes.open().submit(() -> "lives", (done, error) -> other.complete(done));
      assertThat(other.get()).isEqualTo("lives");
    }
  }

  @Test
  void whatACallUsesIsFreedWhenNoLaneIsAtIt() throws Exception {
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch begin = new CountDownLatch(1);
    CountDownLatch running = new CountDownLatch(2);
    CompletableFuture<Void> freed = new CompletableFuture<>();
    try (Lanes lanes = Lanes.start(2)) {
      Lanes.Turns call = lanes.open();
      for (int i = 0; i < 2; i++) {
        call.submit(
            () -> {
              running.countDown();
              begin.await();
              return order.add("step");
            },
            (done, error) -> {});
      }
      running.await();
      call.closeAndThen(
          () -> {
            order.add("freed");
            freed.complete(null);
          });
      begin.countDown();
      freed.get();
      lanes.open().closeAndThen(() -> order.add("idle"));
      assertThat(order).containsExactly("step", "step", "freed", "idle");
    }
  }

  @Test
  void aFailingStepDoesNotEndItsLane() throws Exception {
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    CompletableFuture<String> after = new CompletableFuture<>();
    try (Lanes lanes = Lanes.start(1)) {
      Lanes.Turns call = lanes.open();
      call.submit(
          () -> {
            throw new AssertionError("on purpose");
          },
          (done, error) -> failure.complete(error));
      call.submit(() -> "after", (done, error) -> after.complete(done));
      assertThat(failure.get()).hasMessage("on purpose");
      assertThat(after.get()).isEqualTo("after");
    }
  }

  @Test
  void aResultThatCannotBeTakenIsAFailure() throws Exception {
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    CompletableFuture<String> after = new CompletableFuture<>();
    try (Lanes lanes = Lanes.start(1)) {
      Lanes.Turns call = lanes.open();
      call.submit(
          () -> "result",
          (done, error) -> {
            if (error == null) {
              throw new AssertionError("on purpose");
            }
            failure.complete(error);
            throw new AssertionError("again");
          });
      call.submit(() -> "after", (done, error) -> after.complete(done));
      assertThat(failure.get()).hasMessage("on purpose");
      assertThat(after.get()).isEqualTo("after");
    }
  }

  @Test
  void theReleaseWaitsForWhatIsHeld() {
    List<String> order = new ArrayList<>();
    try (Lanes lanes = Lanes.start(1)) {
      Lanes.Turns call = lanes.open();
      boolean ran =
          call.hold(
              () -> {
                call.closeAndThen(() -> order.add("freed"));
                order.add("held");
              });
      assertThat(ran).isTrue();
      assertThat(call.hold(() -> order.add("late"))).isFalse();
    }
    assertThat(order).containsExactly("held", "freed");
  }

  @Test
  void aFailingReleaseDoesNotEndItsLane() throws Exception {
    CompletableFuture<String> after = new CompletableFuture<>();
    try (Lanes lanes = Lanes.start(1)) {
      Lanes.Turns call = lanes.open();
      call.submit(
          () -> {
            call.closeAndThen(
                () -> {
                  throw new AssertionError("on purpose");
                });
            return null;
          },
          (done, error) -> {});
      lanes.open().submit(() -> "after", (done, error) -> after.complete(done));
      assertThat(after.get()).isEqualTo("after");
    }
  }

  @Test
  void aStepIsCancelledOnce() throws Exception {
    List<Throwable> errors = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch begin = new CountDownLatch(1);
    Lanes lanes = Lanes.start(1);
    Lanes.Turns call = lanes.open();
    call.submit(
        () -> {
          running.countDown();
          begin.await();
          return null;
        },
        (done, error) -> {});
    running.await();
    call.submit(
        () -> null,
        (done, error) -> {
          errors.add(error);
          call.close();
          begin.countDown();
        });
    lanes.close();
    assertThat(errors).hasSize(1);
  }
}

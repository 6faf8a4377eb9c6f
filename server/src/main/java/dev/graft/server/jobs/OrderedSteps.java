package dev.graft.server.jobs;

import dev.graft.server.torch.Lanes;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * Steps that run on several lanes, and whose results are taken in the order in which they were
 * submitted. So that no lane waits for the one that is at a large step, many are submitted ahead.
 * Used by one thread.
 */
final class OrderedSteps<T> {
  private record Step<T>(CompletableFuture<T> result, long memoryBytes) {}

  /** Results that wait to be taken, and steps before them. */
  private static final int MOST_PENDING = 128;

  private final Lanes.Turns turns;
  private final long mostBytes;
  private final Queue<Step<T>> pending = new ArrayDeque<>();

  /**
   * @param mostBytes memory that those which are not done may use together; one step alone may use
   *     more
   */
  OrderedSteps(Lanes.Turns turns, long mostBytes) {
    this.turns = turns;
    this.mostBytes = mostBytes;
  }

  boolean hasRoomFor(long memoryBytes) {
    long used =
        pending.stream().filter(step -> !step.result().isDone()).mapToLong(Step::memoryBytes).sum();
    return pending.size() < MOST_PENDING && (used == 0 || used + memoryBytes <= mostBytes);
  }

  void submit(long memoryBytes, Callable<T> body) {
    CompletableFuture<T> result = new CompletableFuture<>();
    pending.add(new Step<>(result, memoryBytes));
    turns.submit(
        body,
        (value, error) -> {
          if (error == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(error);
          }
        });
  }

  /** Waits for the next result. */
  T take() throws IOException, InterruptedException {
    try {
      T result = pending.element().result().get();
      pending.remove();
      return result;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failed) {
        throw failed;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    }
  }

  /** Waits until no lane is at a step, in spite of interruptions. */
  void awaitNone() {
    for (Step<T> step : pending) {
      try {
        step.result().join();
      } catch (CancellationException | CompletionException e) {
        // Its failure is that of the job, or it never began.
      }
    }
  }
}

package dev.graft.server.jobs;

import dev.graft.server.torch.Lanes;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * Steps that run on several lanes, of which few are under way at a time, and whose results are
 * taken in the order in which they were submitted. Used by one thread.
 */
final class OrderedSteps<T> {
  private record Step<T>(CompletableFuture<T> result, long memoryBytes) {}

  private final Lanes.Turns turns;
  private final int mostAtOnce;
  private final long mostBytes;
  private final Queue<Step<T>> pending = new ArrayDeque<>();
  private final List<CompletableFuture<T>> submitted = new ArrayList<>();

  /**
   * @param mostAtOnce steps that have been submitted and are not done
   * @param mostBytes memory that they may use together; one step alone may use more
   */
  OrderedSteps(Lanes.Turns turns, int mostAtOnce, long mostBytes) {
    this.turns = turns;
    this.mostAtOnce = mostAtOnce;
    this.mostBytes = mostBytes;
  }

  boolean hasRoomFor(long memoryBytes) {
    List<Step<T>> running = pending.stream().filter(step -> !step.result().isDone()).toList();
    long used = running.stream().mapToLong(Step::memoryBytes).sum();
    boolean fits = used == 0 || used + memoryBytes <= mostBytes;
    return fits && running.size() < mostAtOnce && pending.size() < 4 * mostAtOnce;
  }

  void submit(long memoryBytes, Callable<T> body) {
    CompletableFuture<T> result = new CompletableFuture<>();
    pending.add(new Step<>(result, memoryBytes));
    submitted.removeIf(CompletableFuture::isDone);
    submitted.add(result);
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
      return pending.remove().result().get();
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
    for (CompletableFuture<T> step : submitted) {
      try {
        step.join();
      } catch (CancellationException | CompletionException e) {
        // Its failure is that of the job, or it never began.
      }
    }
  }
}

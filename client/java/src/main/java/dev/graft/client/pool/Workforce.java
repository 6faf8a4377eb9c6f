package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.ExtractResults;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.v1.Item;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The workers, as jobs see them. Used in the pool's synchronization context only. */
interface Workforce {
  /**
   * Gives a place at a worker that meets the requirements: one that has the backbone in memory
   * before one that can hold it, and of several the one with the least outstanding tokens.
   *
   * @param tokens what the call will cost
   * @param avoided workers that get it only if all others are down
   * @param excluded workers that do not get it
   * @return empty if no such worker has a place free now
   */
  Optional<Place> take(WorkerChoice choice, long tokens, Set<String> avoided, Set<String> excluded);

  /** Workers that are up. */
  int alive();

  /** Calls that the workers that are up get at the same time. */
  int calls();

  /** What each worker lacks, if all are up and none meets the requirements. */
  Optional<String> whyNever(WorkerChoice choice);

  /** Whether a worker gets no call now only because the pool's own rate limit says so. */
  boolean isHeldBack(WorkerChoice choice);

  /** When a call, of whatever job, was last done where these can be; empty if none was. */
  OptionalLong lastDone(WorkerChoice choice);

  /** Why no worker takes a call, worker by worker; says more of the first few. */
  String whyNobody(WorkerChoice choice);

  /** A place for one call at a worker; MUST be left. */
  interface Place {
    String worker();

    /** Opens the call. Cancelling the future ends it. */
    CompletableFuture<ExtractResults> extract(ExtractJob job, List<Item> items);

    /** Opens a training; to be called outside of the context, as it is by whoever iterates. */
    TrainingCall train(TrainJob job);

    /** The call succeeded. */
    void leave();

    /**
     * The call failed.
     *
     * @return how long the worker gets no more calls because it refused this one
     */
    Duration leave(Throwable failure);

    /** The call is not needed any more; that says nothing about the worker. */
    void abandon();
  }
}

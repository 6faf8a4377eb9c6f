package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.ExtractResults;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.v1.Item;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The workers, as jobs see them. Used in the pool's synchronization context only. */
interface Workforce {
  /**
   * Gives a place at the worker with the least outstanding tokens.
   *
   * @param tokens what the call will cost
   * @param avoided workers that get it only if all others are down
   * @param excluded workers that do not get it
   * @return empty if no such worker has a place free now
   */
  Optional<Place> take(long tokens, Set<String> avoided, Set<String> excluded);

  /** Workers that are up. */
  int alive();

  /** A place for one call at a worker; MUST be left. */
  interface Place {
    String worker();

    /** Opens the call. Cancelling the future ends it. */
    CompletableFuture<ExtractResults> extract(ExtractJob job, List<Item> items);

    /** Opens a training; to be called outside of the context, as it is by whoever iterates. */
    TrainingCall train(TrainJob job);

    /** The call succeeded. */
    void leave();

    /** The call failed. */
    void leave(Throwable failure);

    /** The call is not needed any more; that says nothing about the worker. */
    void abandon();
  }
}

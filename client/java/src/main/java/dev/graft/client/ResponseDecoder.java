package dev.graft.client;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * Makes events from a worker's messages, and holds the worker to the contract. Used by one thread
 * at a time.
 *
 * @param <R> the worker's messages
 * @param <E> what they come to
 */
interface ResponseDecoder<R, E> {
  /** Takes the next message and passes on what is complete by it, possibly nothing. */
  void decode(R response, Consumer<? super E> events) throws ContractBreach;

  /** Checks that nothing is missing when the worker has closed the stream without an error. */
  void finish() throws ContractBreach;

  /** What a failed call can be continued from. */
  Optional<TrainEvent.CheckpointSaved> lastCheckpoint();
}

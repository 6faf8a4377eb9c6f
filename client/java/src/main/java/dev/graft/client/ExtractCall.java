package dev.graft.client;

import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.util.Iterator;

/**
 * A running Extract call as an iterator over its results, in the order in which they arrive. One
 * thread iterates; closing before the end cancels the call. A failed call throws its {@link
 * GraftRpcException}, or what the items' iterator threw, from {@code hasNext} and {@code next}.
 */
public final class ExtractCall implements Iterator<ItemResult>, AutoCloseable {
  private final BlockingEvents<ItemResult> results;
  private final ExtractDecoder decoder;

  ExtractCall(BlockingEvents<ItemResult> results, ExtractDecoder decoder) {
    this.results = results;
    this.decoder = decoder;
  }

  /** The spec with every default filled in. Waits until the worker has said it. */
  public ExtractReady ready() {
    results.awaitNews(() -> decoder.ready() != null);
    return decoder.ready();
  }

  @Override
  public boolean hasNext() {
    return results.hasNext();
  }

  @Override
  public ItemResult next() {
    return results.next();
  }

  /** Cancels the call, from any thread; whoever waits gets a {@link CallCancelledException}. */
  public void cancel() {
    results.cancel();
  }

  /** Cancels the call unless it is over. */
  @Override
  public void close() {
    results.cancel();
  }
}

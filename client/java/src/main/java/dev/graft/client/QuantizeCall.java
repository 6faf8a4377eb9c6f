package dev.graft.client;

import java.util.Iterator;

/**
 * A running Quantize call as an iterator over its events; the last one of a call that succeeded is
 * {@link QuantizeEvent.Completed}. One thread iterates; closing before the end cancels the call,
 * and the worker then leaves nothing of its result. A failed call throws its {@link
 * GraftRpcException} from {@code hasNext} and {@code next}.
 */
public final class QuantizeCall implements Iterator<QuantizeEvent>, AutoCloseable {
  private final BlockingEvents<QuantizeEvent> events;

  QuantizeCall(BlockingEvents<QuantizeEvent> events) {
    this.events = events;
  }

  @Override
  public boolean hasNext() {
    return events.hasNext();
  }

  @Override
  public QuantizeEvent next() {
    return events.next();
  }

  /** Cancels the call, from any thread; whoever waits gets a {@link CallCancelledException}. */
  public void cancel() {
    events.cancel();
  }

  /** Cancels the call unless it is over. */
  @Override
  public void close() {
    events.cancel();
  }
}

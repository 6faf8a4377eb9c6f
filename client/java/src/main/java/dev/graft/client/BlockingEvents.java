package dev.graft.client;

import io.grpc.Status;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BooleanSupplier;

/** Events of a call for one thread that waits for them. */
final class BlockingEvents<E> implements Flow.Subscriber<E> {
  /** Hides the hand-over between threads without piling up large results. */
  private static final int PREFETCH = 16;

  private sealed interface Signal<E> {
    record Next<E>(E event) implements Signal<E> {}

    record Failed<E>(Throwable thrown) implements Signal<E> {}

    record Completed<E>() implements Signal<E> {}

    /** Something else happened that somebody may wait for. */
    record News<E>() implements Signal<E> {}
  }

  private final BlockingQueue<Signal<E>> signals = new LinkedBlockingQueue<>();
  private volatile Flow.Subscription subscription;
  private Signal<E> head; // used by the waiting thread only; stays once it is the last

  @Override
  public void onSubscribe(Flow.Subscription newSubscription) {
    subscription = newSubscription;
    newSubscription.request(PREFETCH);
  }

  @Override
  public void onNext(E event) {
    signals.add(new Signal.Next<>(event));
  }

  @Override
  public void onError(Throwable thrown) {
    signals.add(new Signal.Failed<>(thrown));
  }

  @Override
  public void onComplete() {
    signals.add(new Signal.Completed<>());
  }

  /** Lets whoever waits in {@link #awaitNews} look again. */
  void tellNews() {
    signals.add(new Signal.News<>());
  }

  /** Waits until {@code known} is true, or the next event or the end has come. */
  void awaitNews(BooleanSupplier known) {
    while (head == null && !known.getAsBoolean()) {
      takeHead();
    }
    if (!known.getAsBoolean()) {
      throwFailure();
    }
  }

  /** Waits until it is known whether there is another event. */
  boolean hasNext() {
    while (head == null) {
      takeHead();
    }
    throwFailure();
    return head instanceof Signal.Next<E>;
  }

  private void takeHead() {
    Signal<E> signal = take();
    if (!(signal instanceof Signal.News<E>)) {
      head = signal;
    }
  }

  private void throwFailure() {
    if (head instanceof Signal.Failed<E> failed) {
      throw unchecked(failed.thrown());
    }
  }

  E next() {
    if (!hasNext() || !(head instanceof Signal.Next<E> next)) {
      throw new NoSuchElementException("the call is complete");
    }
    head = null;
    subscription.request(1);
    return next.event();
  }

  /** Ends the call, and the waiting of whoever waits. Does nothing to a call that is over. */
  void cancel() {
    subscription.cancel();
    signals.clear();
    onError(cancelled("the call was cancelled by this client"));
  }

  private Signal<E> take() {
    try {
      return signals.take();
    } catch (InterruptedException interrupted) {
      subscription.cancel();
      Thread.currentThread().interrupt();
      return new Signal.Failed<>(cancelled("the thread that waited for the call was interrupted"));
    }
  }

  private static CallCancelledException cancelled(String message) {
    return new CallCancelledException(
        Failure.found(Status.Code.CANCELLED, "CANCELLED_BY_CLIENT", message));
  }

  private static RuntimeException unchecked(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return thrown instanceof RuntimeException exception
        ? exception
        : new CompletionException(thrown);
  }
}

package dev.graft.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Events of a call gathered into one result. Whatever else completes the future ends the call. */
final class FutureEvents<E, T> implements Flow.Subscriber<E> {
  private final Consumer<? super E> gather;
  private final Supplier<T> result;
  private final CompletableFuture<T> future;

  /**
   * Makes a subscriber.
   *
   * @param future what is completed
   * @param gather takes each event
   * @param result called after the last event, if the call succeeded
   */
  FutureEvents(CompletableFuture<T> future, Consumer<? super E> gather, Supplier<T> result) {
    this.future = future;
    this.gather = gather;
    this.result = result;
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // a copy of the future that nobody waits for
  public void onSubscribe(Flow.Subscription subscription) {
    future.whenComplete((value, thrown) -> subscription.cancel());
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(E event) {
    try {
      gather.accept(event);
    } catch (RuntimeException thrown) {
      future.completeExceptionally(thrown);
    }
  }

  @Override
  public void onError(Throwable thrown) {
    future.completeExceptionally(thrown);
  }

  @Override
  public void onComplete() {
    try {
      future.complete(result.get());
    } catch (RuntimeException thrown) {
      future.completeExceptionally(thrown);
    }
  }
}

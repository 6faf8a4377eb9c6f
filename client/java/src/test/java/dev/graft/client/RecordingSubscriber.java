package dev.graft.client;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Remembers what it hears, and whether it ever heard more than it asked for. */
final class RecordingSubscriber<E> implements Flow.Subscriber<E> {
  final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
  final CompletableFuture<Void> end = new CompletableFuture<>();
  private final BlockingQueue<E> events = new LinkedBlockingQueue<>();
  private long requested;
  private long received;
  private boolean flooded;

  @Override
  public void onSubscribe(Flow.Subscription newSubscription) {
    subscription.complete(newSubscription);
  }

  @Override
  public void onNext(E event) {
    synchronized (this) {
      received++;
      flooded |= received > requested;
    }
    events.add(event);
  }

  @Override
  public void onError(Throwable thrown) {
    end.completeExceptionally(thrown);
  }

  @Override
  public void onComplete() {
    end.complete(null);
  }

  synchronized boolean flooded() {
    return flooded;
  }

  /** Asks for some events and waits for them. */
  List<E> take(int count) throws InterruptedException {
    request(count);
    List<E> taken = new ArrayList<>();
    while (taken.size() < count) {
      E event = events.poll(Scenarios.PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("only " + taken.size() + " of " + count + " events came");
      }
      taken.add(event);
    }
    return taken;
  }

  void request(long count) {
    synchronized (this) {
      requested += count;
    }
    subscription.join().request(count);
  }
}

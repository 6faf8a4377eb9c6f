package dev.graft.server.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A response's body, in parts as they come. The JDK's own bodies wait for ever for a server that
 * stays silent; this one does not.
 */
final class TimedBody implements BodySubscriber<TimedBody>, AutoCloseable {
  private sealed interface Event {}

  private record Part(List<ByteBuffer> buffers) implements Event {}

  private record Failed(Throwable cause) implements Event {}

  private record Ended() implements Event {}

  private final Duration longestSilence;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private volatile Flow.Subscription subscription;

  TimedBody(Duration longestSilence) {
    this.longestSilence = longestSilence;
  }

  @Override
  public CompletionStage<TimedBody> getBody() {
    return CompletableFuture.completedFuture(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    given.request(1);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    events.add(new Part(buffers));
  }

  @Override
  public void onError(Throwable cause) {
    events.add(new Failed(cause));
  }

  @Override
  public void onComplete() {
    events.add(new Ended());
  }

  /** The next part; empty at the end. */
  List<ByteBuffer> next() throws IOException, InterruptedException {
    Event event = events.poll(longestSilence.toMillis(), TimeUnit.MILLISECONDS);
    if (event instanceof Part part) {
      subscription.request(1);
      return part.buffers().isEmpty() ? next() : part.buffers();
    }
    if (event instanceof Ended) {
      return List.of();
    }
    if (event instanceof Failed failed) {
      throw new IOException(failed.cause().getMessage(), failed.cause());
    }
    throw new HttpTimeoutException("nothing came for " + longestSilence.toSeconds() + " s");
  }

  /** All of it, if it is not longer than this. */
  byte[] readAll(int mostBytes) throws IOException, InterruptedException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (List<ByteBuffer> part = next(); !part.isEmpty(); part = next()) {
      for (ByteBuffer buffer : part) {
        if (bytes.size() + buffer.remaining() > mostBytes) {
          throw new IOException("its answer is longer than " + mostBytes + " bytes");
        }
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(copy);
        bytes.write(copy);
      }
    }
    return bytes.toByteArray();
  }

  /** Lets the connection go, unless the end was reached. */
  @Override
  public void close() {
    Flow.Subscription current = subscription;
    if (current != null) {
      current.cancel();
    }
  }
}

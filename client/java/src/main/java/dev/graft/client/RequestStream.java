package dev.graft.client;

import io.grpc.SynchronizationContext;
import io.grpc.stub.ClientCallStreamObserver;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * What a call sends: requests from a source, as the worker takes them, and others beside them.
 * Everything that touches the gRPC call happens in one synchronization context.
 *
 * @param <Q> requests
 */
final class RequestStream<Q> implements RequestPump.Outlet<Q> {
  /** What the end of the source means for the stream of requests. */
  enum SourceEnd {
    HALF_CLOSES,
    LEAVES_OPEN
  }

  private final SourceEnd sourceEnd;
  private final Consumer<Throwable> failing;
  private final RequestPump<Q> pump;
  private final SynchronizationContext calling;
  private volatile ClientCallStreamObserver<Q> requests; // set when the call opens
  private boolean halfClosed; // used in `calling`
  private boolean closed; // used in `calling`, as are only the early ones
  private final Queue<Q> early = new ArrayDeque<>(); // to be sent when the call opens
  private final AtomicInteger unsent = new AtomicInteger(); // requests that wait for `calling`

  /**
   * Prepares the stream; nothing is pulled before the call is open.
   *
   * @param sourceThreads where the source is pulled
   * @param failing gets what the source or gRPC throws
   */
  RequestStream(
      Iterator<Q> source,
      SourceEnd sourceEnd,
      Executor sourceThreads,
      Consumer<Throwable> failing) {
    this.sourceEnd = sourceEnd;
    this.failing = failing;
    this.pump = new RequestPump<>(source, sourceThreads, this);
    this.calling = new SynchronizationContext((thread, thrown) -> failing.accept(thrown));
  }

  /**
   * Opens the call, unless it was aborted before, and sends the first request.
   *
   * @param opening opens it; {@link #opened} is called meanwhile
   * @param then runs when it is open
   */
  void start(Runnable opening, Q first, Runnable then) {
    calling.execute(
        () -> {
          if (closed) {
            return;
          }
          opening.run();
          requests.onNext(first);
          early.forEach(requests::onNext);
          early.clear();
          pump.wake();
          then.run();
        });
  }

  /** To be called before the gRPC call starts. */
  void opened(ClientCallStreamObserver<Q> stream) {
    stream.disableAutoRequestWithInitial(0);
    stream.setOnReadyHandler(pump::wake);
    requests = stream;
  }

  boolean isOpen() {
    return requests != null;
  }

  /** Asks for one message of the worker. */
  void requestMessage() {
    calling.execute(
        () -> {
          if (!closed) {
            requests.request(1);
          }
        });
  }

  /** What waits for its turn in `calling` is not on the wire, so gRPC does not know of it. */
  @Override
  public boolean isReady() {
    return unsent.get() == 0 && requests.isReady();
  }

  /** Sends a request beside those of the source. */
  @Override
  public void send(Q request) {
    Thread sender = Thread.currentThread();
    unsent.incrementAndGet();
    calling.execute(
        () -> {
          if (!closed && requests == null) {
            early.add(request); // sent before the call is open
          } else if (!closed) {
            requests.onNext(request);
          }
          unsent.decrementAndGet();
          if (Thread.currentThread() != sender && requests != null) {
            pump.wake(); // which may have stopped because of it
          }
        });
  }

  @Override
  public void sourceExhausted() {
    if (sourceEnd == SourceEnd.HALF_CLOSES) {
      calling.execute(
          () -> {
            if (!closed && !halfClosed) {
              halfClosed = true;
              requests.onCompleted();
            }
          });
    }
  }

  @Override
  public void sourceFailed(Throwable thrown) {
    failing.accept(thrown);
  }

  /**
   * Cancels the call unless it is over.
   *
   * @param otherwise runs if it was never open, so that gRPC tells of no end
   */
  void abort(String why, Throwable cause, Runnable otherwise) {
    pump.stop();
    calling.execute(
        () -> {
          if (closed) {
            return;
          }
          closed = true;
          if (requests == null) {
            otherwise.run();
          } else {
            requests.cancel(why, cause);
          }
        });
  }

  /** The gRPC call is over; nothing more is sent. */
  void over() {
    pump.stop();
    calling.execute(() -> closed = true);
  }
}

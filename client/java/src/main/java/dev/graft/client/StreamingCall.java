package dev.graft.client;

import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call of two streams: the core under the blocking, the publishing and the future style. It is
 * a subscription: events go to one subscriber, in order, one at a time, and as many as were
 * requested. The worker's messages are taken one by one, each only when all events of those before
 * have been delivered and more are wanted, so that a slow subscriber slows the worker down.
 *
 * <p>There are no locks. Everything that touches the gRPC call happens in one synchronization
 * context, everything that touches the subscriber in another: both run tasks in order, on the
 * thread of whoever comes first.
 *
 * @param <Q> requests
 * @param <R> responses
 * @param <E> events
 */
final class StreamingCall<Q, R, E> implements Flow.Subscription, RequestPump.Outlet<Q> {
  /** Opens the gRPC call, as the methods of asynchronous stubs do. */
  interface Opener<Q, R> {
    void open(ClientResponseObserver<Q, R> responses);
  }

  /** What the end of the source means for the stream of requests. */
  enum SourceEnd {
    HALF_CLOSES,
    LEAVES_OPEN
  }

  private static final Logger logger = LoggerFactory.getLogger(StreamingCall.class);

  private final ResponseDecoder<R, E> decoder;
  private final StatusTranslation translation;
  private final SourceEnd sourceEnd;
  private final Flow.Subscriber<? super E> subscriber;
  private final OpenCalls<? super StreamingCall<Q, R, E>> openCalls;
  private final RequestPump<Q> pump;

  private final SynchronizationContext calling =
      new SynchronizationContext((thread, thrown) -> fail(thrown));
  private volatile ClientCallStreamObserver<Q> requests; // set when the call opens
  private boolean halfClosed; // used in `calling`
  private boolean closed; // used in `calling`, as are only the early ones
  private final Queue<Q> early = new ArrayDeque<>(); // to be sent when the call opens
  private final AtomicInteger unsent = new AtomicInteger(); // requests that wait for `calling`

  private final SynchronizationContext delivering =
      new SynchronizationContext((thread, thrown) -> fail(thrown));
  private final Queue<E> undelivered = new ArrayDeque<>();
  private long demand;
  private boolean awaitingMessage;
  private boolean ended; // no more messages are taken
  private Throwable failure; // why it ended; null if all went well
  private volatile boolean finished; // the subscriber hears no more

  /**
   * Prepares a call; {@link #start} opens it.
   *
   * @param source the requests after the first, pulled as the worker takes them
   * @param sourceThreads where the source is pulled
   * @param openCalls has this call in it from start to end
   */
  StreamingCall(
      Iterator<Q> source,
      SourceEnd sourceEnd,
      ResponseDecoder<R, E> decoder,
      Flow.Subscriber<? super E> subscriber,
      Executor sourceThreads,
      StatusTranslation translation,
      OpenCalls<? super StreamingCall<Q, R, E>> openCalls) {
    this.sourceEnd = sourceEnd;
    this.decoder = decoder;
    this.subscriber = subscriber;
    this.translation = translation;
    this.openCalls = openCalls;
    this.pump = new RequestPump<>(source, sourceThreads, this);
  }

  /** Opens the call and sends the first request. */
  void start(Opener<Q, R> opener, Q first) {
    openCalls.add(this);
    tell(() -> subscriber.onSubscribe(this));
    calling.execute(
        () -> {
          if (closed) {
            return; // cancelled in onSubscribe
          }
          opener.open(new Responses());
          requests.onNext(first);
          early.forEach(requests::onNext);
          early.clear();
          pump.wake();
          delivering.execute(this::deliver);
        });
  }

  /** Cancels the call. The subscriber hears no more. May be called by any thread, and again. */
  @Override
  public void cancel() {
    finished = true;
    delivering.execute(undelivered::clear);
    abort("cancelled by the client", null);
  }

  /** Ends the call with an error that the subscriber gets. */
  void fail(Throwable thrown) {
    delivering.execute(
        () -> {
          if (!ended) {
            undelivered.clear(); // or the error would wait for demand
            end(thrown);
          }
        });
    abort("failed in the client", thrown);
  }

  @Override
  public void request(long count) {
    delivering.execute(
        () -> {
          if (count <= 0) {
            fail(new IllegalArgumentException("request(" + count + "): must be positive"));
            return;
          }
          demand = demand + count < 0 ? Long.MAX_VALUE : demand + count;
          deliver();
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
            early.add(request); // sent in onSubscribe
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
    fail(thrown);
  }

  /** A subscriber that throws is as good as cancelled. */
  private void tell(Runnable signal) {
    try {
      signal.run();
    } catch (RuntimeException thrown) {
      logger.warn("A subscriber threw; its call is cancelled", thrown);
      cancel();
    }
  }

  private void abort(String why, Throwable cause) {
    pump.stop();
    calling.execute(
        () -> {
          if (closed) {
            return;
          }
          closed = true;
          if (requests == null) {
            openCalls.remove(this);
          } else {
            requests.cancel(why, cause);
          }
        });
  }

  /** The gRPC call is over. */
  private void over(Throwable failureOrNull) {
    pump.stop();
    calling.execute(() -> closed = true);
    end(failureOrNull);
    openCalls.remove(this);
  }

  private void end(Throwable failureOrNull) {
    if (!ended) {
      ended = true;
      failure = failureOrNull;
      deliver();
    }
  }

  private void receive(R response) {
    awaitingMessage = false;
    if (ended) {
      return;
    }
    try {
      decoder.decode(response, undelivered::add);
    } catch (ContractBreach breach) {
      fail(broken(breach));
    }
    deliver();
  }

  private void deliver() {
    while (!finished) {
      if (undelivered.isEmpty()) {
        if (ended) {
          finish();
        } else if (demand > 0 && !awaitingMessage && requests != null) {
          awaitingMessage = true;
          calling.execute(this::requestMessage);
        }
        return;
      }
      if (demand == 0) {
        return;
      }
      demand--;
      E event = undelivered.remove();
      tell(() -> subscriber.onNext(event));
    }
    undelivered.clear();
  }

  private void requestMessage() {
    if (!closed) {
      requests.request(1);
    }
  }

  private void finish() {
    finished = true;
    if (failure == null) {
      tell(subscriber::onComplete);
    } else {
      tell(() -> subscriber.onError(failure));
    }
  }

  private GraftRpcException broken(ContractBreach breach) {
    return new BrokenContractException(
        Failure.found(
                Status.Code.DATA_LOSS,
                "BROKEN_CONTRACT",
                breach.getMessage() + "; client and worker may be of different versions")
            .after(decoder.lastCheckpoint()));
  }

  /** What gRPC calls. */
  private final class Responses implements ClientResponseObserver<Q, R> {
    @Override
    public void beforeStart(ClientCallStreamObserver<Q> stream) {
      stream.disableAutoRequestWithInitial(0);
      stream.setOnReadyHandler(pump::wake);
      requests = stream;
    }

    @Override
    public void onNext(R response) {
      delivering.execute(() -> receive(response));
    }

    @Override
    public void onError(Throwable thrown) {
      delivering.execute(() -> over(translation.translate(thrown, decoder.lastCheckpoint())));
    }

    @Override
    public void onCompleted() {
      delivering.execute(
          () -> {
            try {
              decoder.finish();
              over(null);
            } catch (ContractBreach breach) {
              over(broken(breach));
            }
          });
    }
  }
}

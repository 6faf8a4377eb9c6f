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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call of two streams: the core under the blocking, the publishing and the future style. It is
 * a subscription: events go to one subscriber, in order, one at a time, and as many as were
 * requested. The worker's messages are taken one by one, each only when all events of those before
 * have been delivered and more are wanted, so that a slow subscriber slows the worker down.
 *
 * <p>There are no locks. Everything that touches the gRPC call happens in one synchronization
 * context, that of {@link RequestStream}, everything that touches the subscriber in another: both
 * run tasks in order, on the thread of whoever comes first.
 *
 * @param <Q> requests
 * @param <R> responses
 * @param <E> events
 */
final class StreamingCall<Q, R, E> implements Flow.Subscription {
  /** Opens the gRPC call, as the methods of asynchronous stubs do. */
  interface Opener<Q, R> {
    void open(ClientResponseObserver<Q, R> responses);
  }

  private static final Logger logger = LoggerFactory.getLogger(StreamingCall.class);

  private final ResponseDecoder<R, E> decoder;
  private final StatusTranslation translation;
  private final Flow.Subscriber<? super E> subscriber;
  private final OpenCalls<? super StreamingCall<Q, R, E>> openCalls;
  private final RequestStream<Q> requests;

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
      RequestStream.SourceEnd sourceEnd,
      ResponseDecoder<R, E> decoder,
      Flow.Subscriber<? super E> subscriber,
      Executor sourceThreads,
      StatusTranslation translation,
      OpenCalls<? super StreamingCall<Q, R, E>> openCalls) {
    this.decoder = decoder;
    this.subscriber = subscriber;
    this.translation = translation;
    this.openCalls = openCalls;
    this.requests = new RequestStream<>(source, sourceEnd, sourceThreads, this::fail);
  }

  /** Opens the call and sends the first request. */
  void start(Opener<Q, R> opener, Q first) {
    openCalls.add(this);
    tell(() -> subscriber.onSubscribe(this));
    requests.start(
        () -> opener.open(new Responses()), first, () -> delivering.execute(this::deliver));
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

  /** Sends a request beside those of the source. */
  void send(Q request) {
    requests.send(request);
  }

  /** Half-closes the call, as the end of its source does where that is agreed. */
  void endRequests() {
    requests.sourceExhausted();
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
    requests.abort(why, cause, () -> openCalls.remove(this));
  }

  /** The gRPC call is over. */
  private void over(Throwable failureOrNull) {
    requests.over();
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
        } else if (demand > 0 && !awaitingMessage && requests.isOpen()) {
          awaitingMessage = true;
          requests.requestMessage();
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
      requests.opened(stream);
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

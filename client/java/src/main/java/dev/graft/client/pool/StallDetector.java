package dev.graft.client.pool;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import dev.graft.v1.ExtractServiceGrpc;
import dev.graft.v1.TrainServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Ends Extract and Train calls in which nothing moves for too long although a message was asked
 * for: a client that does not read is not the worker's fault. The call then fails as UNAVAILABLE
 * (STALLED).
 *
 * @param firstMessage longest wait for the first message of a call
 * @param extractMessages longest wait for each later one of an Extract call
 * @param trainMessages longest wait for each later one of a Train call, in which a worker tells how
 *     far it is a few times a second, but for the time that it waits for its device
 */
record StallDetector(
    Duration firstMessage,
    Duration extractMessages,
    Duration trainMessages,
    ScheduledExecutorService scheduler)
    implements ClientInterceptor {
  static final String REASON = "STALLED";
  private static final String EXTRACT = ExtractServiceGrpc.getExtractMethod().getFullMethodName();
  private static final String TRAIN = TrainServiceGrpc.getTrainMethod().getFullMethodName();

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    ClientCall<Q, R> call = next.newCall(method, options);
    if (method.getFullMethodName().equals(EXTRACT)) {
      return new WatchedCall<>(call, extractMessages);
    }
    return method.getFullMethodName().equals(TRAIN) ? new WatchedCall<>(call, trainMessages) : call;
  }

  private final class WatchedCall<Q, R> extends SimpleForwardingClientCall<Q, R> {
    private final Duration laterMessages;
    private long awaited;
    private boolean anyCame;
    private boolean stalled;
    private boolean closed;
    private Future<?> timer; // null while nothing is awaited

    WatchedCall(ClientCall<Q, R> call, Duration laterMessages) {
      super(call);
      this.laterMessages = laterMessages;
    }

    @Override
    public void start(Listener<R> responses, Metadata headers) {
      super.start(new WatchedListener(responses), headers);
    }

    @Override
    public void request(int messages) {
      synchronized (this) {
        awaited += messages;
        watch();
      }
      super.request(messages);
    }

    @Override
    public void sendMessage(Q message) {
      synchronized (this) {
        unwatch(); // a worker that takes messages does not hang
        watch();
      }
      super.sendMessage(message);
    }

    private synchronized void messageCame() {
      anyCame = true;
      awaited--;
      unwatch();
      watch();
    }

    private synchronized boolean close() {
      closed = true;
      unwatch();
      return stalled;
    }

    private void watch() {
      if (timer == null && awaited > 0 && !closed) {
        timer = scheduler.schedule(this::stall, limit().toNanos(), TimeUnit.NANOSECONDS);
      }
    }

    private Duration limit() {
      return anyCame ? laterMessages : firstMessage;
    }

    private void unwatch() {
      if (timer != null) {
        timer.cancel(false);
        timer = null;
      }
    }

    private void stall() {
      synchronized (this) {
        if (closed || timer == null) {
          return;
        }
        stalled = true;
      }
      cancel("no message came for too long", null);
    }

    private StatusRuntimeException stalledStatus() {
      String message =
          "The worker sent no message for %s; it may hang, or raise the stall timeout"
              .formatted(Durations.text(limit()));
      return StatusProto.toStatusRuntimeException(
          com.google.rpc.Status.newBuilder()
              .setCode(Code.UNAVAILABLE_VALUE)
              .setMessage(message)
              .addDetails(
                  Any.pack(ErrorInfo.newBuilder().setReason(REASON).setDomain("graft.dev").build()))
              .build());
    }

    private final class WatchedListener extends SimpleForwardingClientCallListener<R> {
      WatchedListener(Listener<R> responses) {
        super(responses);
      }

      @Override
      public void onMessage(R message) {
        messageCame();
        super.onMessage(message);
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        if (close() && !status.isOk()) {
          StatusRuntimeException failed = stalledStatus();
          super.onClose(failed.getStatus(), failed.getTrailers());
        } else {
          super.onClose(status, trailers);
        }
      }
    }
  }
}

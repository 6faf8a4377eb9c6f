package dev.graft.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A call that sends whatever it is told to, and reads only when it is told to. */
final class RawCall<Q, R> {
  private static final long PATIENCE_SECONDS = 60;

  /** How a call ended; the reason is empty where the worker gave none. */
  record Outcome(Status status, String reason) {}

  private final ClientCall<Q, R> call;
  private final BlockingQueue<R> responses = new LinkedBlockingQueue<>();
  private final Semaphore ready = new Semaphore(0);
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile Outcome outcome;

  private RawCall(ClientCall<Q, R> call) {
    this.call = call;
  }

  static <Q, R> RawCall<Q, R> open(ManagedChannel channel, MethodDescriptor<Q, R> method) {
    RawCall<Q, R> raw = new RawCall<>(channel.newCall(method, CallOptions.DEFAULT));
    raw.call.start(raw.new Listener(), new Metadata());
    return raw;
  }

  /** Sends a message, without regard to flow control. */
  RawCall<Q, R> send(Q message) {
    call.sendMessage(message);
    return this;
  }

  RawCall<Q, R> halfClose() {
    call.halfClose();
    return this;
  }

  void cancel() {
    call.cancel("by the test", null);
  }

  boolean hasEnded() {
    return ended.getCount() == 0;
  }

  /** Waits until the transport takes more; false when it did not in that time. */
  boolean awaitReady(long time, TimeUnit unit) throws InterruptedException {
    long end = System.nanoTime() + unit.toNanos(time);
    while (!call.isReady()) {
      long left = end - System.nanoTime();
      if (left <= 0 || !ready.tryAcquire(left, TimeUnit.NANOSECONDS)) {
        return call.isReady();
      }
    }
    return true;
  }

  /** Takes the next response. */
  R next() throws InterruptedException {
    call.request(1);
    R response = responses.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertThat(response).as("a response; the call ended with %s", outcome).isNotNull();
    return response;
  }

  /** Reads to the end. */
  Outcome outcome() throws InterruptedException {
    call.request(Integer.MAX_VALUE);
    assertThat(ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("the call ends").isTrue();
    return outcome;
  }

  /** What came and was not taken. */
  BlockingQueue<R> responses() {
    return responses;
  }

  private static String reason(Status status, Metadata trailers) {
    com.google.rpc.Status details = StatusProto.fromStatusAndTrailers(status, trailers);
    for (Any detail : details.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        try {
          return detail.unpack(ErrorInfo.class).getReason();
        } catch (InvalidProtocolBufferException e) {
          throw new AssertionError(e);
        }
      }
    }
    return "";
  }

  private final class Listener extends ClientCall.Listener<R> {
    @Override
    public void onMessage(R message) {
      responses.add(message);
    }

    @Override
    public void onReady() {
      ready.release();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      outcome = new Outcome(status, reason(status, trailers));
      ended.countDown();
    }
  }
}

package dev.graft.server.rpc;

import com.google.protobuf.MessageLite;
import dev.graft.server.GraftException;
import dev.graft.server.jobs.Job;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/**
 * The receiving side of a call: takes one message after another, and the next only when there is
 * room for what comes of it. Errors end the call.
 *
 * @param <Q> requests
 * @param <R> responses
 * @param <J> what the call does
 */
abstract class Inbound<Q, R extends MessageLite, J extends Job>
    implements StreamObserver<Q>, Calls.Call {
  final Outbound<R> outbound;

  /** Null until the messages have come that say what it is. */
  volatile J job;

  private final ServerCallStreamObserver<R> call;
  private final Calls calls;
  private volatile boolean over;

  /** Goes off if no message comes. */
  private volatile Alarms.Alarm specAlarm = () -> {};

  Inbound(ServerCallStreamObserver<R> call, Calls calls) {
    this.calls = calls;
    this.call = call;
    this.outbound = new Outbound<>(call);
    call.disableAutoRequest();
    call.request(1);
    // Called when the client cancels, its connection breaks or its deadline passes.
    call.setOnCancelHandler(
        () -> {
          over = true;
          outbound.abandon();
          leave();
        });
  }

  /** Begins the call, or ends it at once with an error where the worker takes no more. */
  final void enter() {
    guarded(
        () -> {
          calls.enter(this);
          specAlarm = calls.awaitSpec(this::fail);
        });
  }

  /** Handles a message. */
  abstract void handle(Q message);

  /** Handles the client's half-close. */
  abstract void handleEnd();

  private void whenReady(Runnable action) {
    if (job == null) {
      action.run();
    } else {
      job.whenReady(action);
    }
  }

  private void release() {
    specAlarm.switchOff();
    if (job != null) {
      job.close();
    }
  }

  /** Ends the call because its job failed. */
  public final void onFailure(Throwable error) {
    fail(error);
  }

  /** Runs {@code action} when the client has taken enough. */
  public final void whenRoom(Runnable action) {
    outbound.whenRoom(action);
  }

  @Override
  public void drain() {
    cut();
  }

  @Override
  public final void cut() {
    fail(Calls.draining());
  }

  @Override
  public final void onNext(Q message) {
    specAlarm.switchOff();
    guarded(() -> handle(message));
    if (over) {
      // Again: the worker may have been told to stop while the message began the job.
      release();
    } else {
      whenReady(() -> outbound.whenRoom(() -> call.request(1)));
    }
  }

  @Override
  public final void onCompleted() {
    guarded(this::handleEnd);
  }

  /** The client is gone: gRPC calls the cancel handler too. */
  @Override
  public final void onError(Throwable error) {
    over = true;
    leave();
  }

  /** Ends the call with an error. */
  final void fail(Throwable error) {
    over = true;
    Throwable explained = calls.explained(error);
    // First, so that a client that knows of the end finds the call gone.
    calls.leave(this);
    outbound.fail(explained);
    release();
  }

  /** Ends the call well. It counts as one under way until the client has taken everything. */
  final void complete() {
    over = true;
    release();
    outbound.complete(() -> calls.leave(this));
  }

  private void leave() {
    release();
    calls.leave(this);
  }

  private void guarded(Runnable action) {
    if (over) {
      return;
    }
    try {
      action.run();
    } catch (RuntimeException | Error e) { // whatever it is, the client must learn that it failed
      fail(e);
    }
  }

  static GraftException protocol(String problem) {
    return GraftException.invalidArgument("PROTOCOL", problem);
  }
}

package dev.graft.server.rpc;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * The sending side of a call, for several threads: messages wait here until the transport takes
 * them, so that no thread does, and producers learn when they should pause.
 */
final class Outbound<T> {
  /** Waiting messages above which producers should pause. */
  private static final int MOST_WAITING = 64;

  private final ServerCallStreamObserver<T> responses;

  /** Guarded by this. */
  private final Queue<T> waiting = new ArrayDeque<>();

  /** Guarded by this. */
  private Runnable whenRoom;

  /** Guarded by this. */
  private boolean completing;

  /** Guarded by this. */
  private boolean over;

  Outbound(ServerCallStreamObserver<T> responses) {
    this.responses = responses;
    responses.setOnReadyHandler(this::drain);
  }

  synchronized void send(T message) {
    if (over || completing) {
      return;
    }
    waiting.add(message);
    drain();
  }

  /** Ends the call when all messages are sent. */
  synchronized void complete() {
    completing = true;
    drain();
  }

  /** Ends the call with an error, after the messages that are waiting. */
  synchronized void fail(Throwable error) {
    if (over) {
      return;
    }
    over = true;
    if (!responses.isCancelled()) {
      waiting.forEach(responses::onNext);
      responses.onError(Statuses.of(error));
    }
    waiting.clear();
  }

  /** Forgets what is waiting: nobody listens any more. */
  synchronized void abandon() {
    over = true;
    waiting.clear();
    whenRoom = null;
  }

  /**
   * Runs {@code action} when more messages should be produced: at once, or later on the transport's
   * thread.
   */
  void whenRoom(Runnable action) {
    synchronized (this) {
      if (waiting.size() > MOST_WAITING && !over) {
        whenRoom = action;
        return;
      }
    }
    action.run();
  }

  private void drain() {
    Runnable room = null;
    synchronized (this) {
      while (!over && !waiting.isEmpty() && responses.isReady()) {
        responses.onNext(waiting.remove());
      }
      if (!over && completing && waiting.isEmpty()) {
        over = true;
        responses.onCompleted();
      }
      if (waiting.size() <= MOST_WAITING) {
        room = whenRoom;
        whenRoom = null;
      }
    }
    if (room != null) {
      room.run();
    }
  }
}

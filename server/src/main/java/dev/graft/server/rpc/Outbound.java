package dev.graft.server.rpc;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
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

  /** What waits for room: the job's next step, the next request. Guarded by this. */
  private final Queue<Runnable> whenRoom = new ArrayDeque<>();

  /** Runs when all but the end is sent, after {@link #complete}; null before. Guarded by this. */
  private Runnable beforeEnd;

  /** Guarded by this. */
  private boolean over;

  Outbound(ServerCallStreamObserver<T> responses) {
    this.responses = responses;
    responses.setOnReadyHandler(this::drain);
  }

  synchronized void send(T message) {
    if (over || beforeEnd != null) {
      return;
    }
    waiting.add(message);
    drain();
  }

  /** Ends the call when all messages are sent, and runs {@code action} just before. */
  synchronized void complete(Runnable action) {
    beforeEnd = action;
    drain();
  }

  /**
   * Ends the call with an error, after the messages that are waiting. A call that was complete but
   * for those ends well.
   */
  synchronized void fail(Throwable error) {
    if (over) {
      return;
    }
    over = true;
    if (!responses.isCancelled()) {
      waiting.forEach(responses::onNext);
      if (beforeEnd == null) {
        responses.onError(Statuses.of(error));
      } else {
        responses.onCompleted();
      }
    }
    waiting.clear();
    whenRoom.clear();
  }

  /** Forgets what is waiting: nobody listens any more. */
  synchronized void abandon() {
    over = true;
    waiting.clear();
    whenRoom.clear();
  }

  /**
   * Runs {@code action} when more messages should be produced: at once, or later on the transport's
   * thread.
   */
  void whenRoom(Runnable action) {
    synchronized (this) {
      if (waiting.size() > MOST_WAITING && !over) {
        whenRoom.add(action);
        return;
      }
    }
    action.run();
  }

  private void drain() {
    List<Runnable> actions = new ArrayList<>();
    synchronized (this) {
      while (!over && !waiting.isEmpty() && responses.isReady()) {
        responses.onNext(waiting.remove());
      }
      if (!over && beforeEnd != null && waiting.isEmpty()) {
        over = true;
        beforeEnd.run();
        responses.onCompleted();
      }
      if (waiting.size() <= MOST_WAITING) {
        actions.addAll(whenRoom);
        whenRoom.clear();
      }
    }
    actions.forEach(Runnable::run);
  }
}

package dev.graft.server.rpc;

import com.google.protobuf.MessageLite;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * The sending side of a call, for several threads: messages wait here until the transport takes
 * them, so that no thread does, and producers learn when they should pause.
 */
final class Outbound<T extends MessageLite> {
  /** Serialized size of waiting messages above which producers should pause. */
  private static final long MOST_WAITING_BYTES = 4 << 20;

  private final ServerCallStreamObserver<T> responses;

  /** Guarded by this. */
  private final Queue<T> waiting = new ArrayDeque<>();

  /** Guarded by this. */
  private long waitingBytes;

  /** What waits for room: the job's next step, the next request. Guarded by this. */
  private final Queue<Runnable> whenRoom = new ArrayDeque<>();

  /** Waits, after {@link #complete}, for all but the end to be sent; else null. Guarded by this. */
  private Runnable beforeEnd;

  /** Guarded by this. */
  private boolean over;

  Outbound(ServerCallStreamObserver<T> responses) {
    this.responses = responses;
    responses.setOnReadyHandler(this::drain);
  }

  void send(T message) {
    synchronized (this) {
      if (over || beforeEnd != null) {
        return;
      }
      waiting.add(message);
      waitingBytes += message.getSerializedSize();
    }
    drain();
  }

  /**
   * Ends the call when all messages are sent, and runs {@code action} just before: once, and also
   * when nobody listens any more.
   */
  void complete(Runnable action) {
    synchronized (this) {
      beforeEnd = action;
    }
    drain();
  }

  /**
   * Ends the call with an error, after the messages that are waiting. A call that was complete but
   * for those ends well.
   */
  void fail(Throwable error) {
    synchronized (this) {
      if (over) {
        return;
      }
      if (!responses.isCancelled()) {
        waiting.forEach(responses::onNext);
        if (beforeEnd == null) {
          responses.onError(Statuses.of(error));
        } else {
          responses.onCompleted();
        }
      }
      over = true;
    }
    abandon();
  }

  /** Forgets what is waiting: nobody listens any more. */
  void abandon() {
    synchronized (this) {
      over = true;
      waiting.clear();
      waitingBytes = 0;
      whenRoom.clear();
    }
    drain();
  }

  /**
   * Runs {@code action} when more messages should be produced: at once, or later on the thread that
   * makes room.
   */
  void whenRoom(Runnable action) {
    synchronized (this) {
      if (waitingBytes > MOST_WAITING_BYTES && !over) {
        whenRoom.add(action);
        return;
      }
    }
    action.run();
  }

  /** Hands over what the transport takes. Actions run outside the lock: they may take others. */
  private void drain() {
    List<Runnable> actions = new ArrayList<>();
    synchronized (this) {
      while (!over && !waiting.isEmpty() && responses.isReady()) {
        T message = waiting.remove();
        waitingBytes -= message.getSerializedSize();
        responses.onNext(message);
      }
      if (beforeEnd != null && waiting.isEmpty()) {
        actions.add(beforeEnd);
        beforeEnd = null;
        if (!over) {
          over = true;
          actions.add(responses::onCompleted);
        }
      }
      if (waitingBytes <= MOST_WAITING_BYTES) {
        actions.addAll(whenRoom);
        whenRoom.clear();
      }
    }
    actions.forEach(Runnable::run);
  }
}

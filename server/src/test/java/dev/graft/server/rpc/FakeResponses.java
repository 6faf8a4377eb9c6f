package dev.graft.server.rpc;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;

/** A transport that takes as many messages as it is told. */
final class FakeResponses<T> extends ServerCallStreamObserver<T> {
  final List<T> sent = new ArrayList<>();
  Throwable error;
  boolean completed;
  private int room;
  private Runnable onReady = () -> {};
  private Runnable onCancel = () -> {};

  /** The client is gone. */
  void cancel() {
    onCancel.run();
  }

  /** Takes so many more messages. */
  void take(int messages) {
    room += messages;
    onReady.run();
  }

  @Override
  public boolean isReady() {
    return room > 0;
  }

  @Override
  public void onNext(T message) {
    room--;
    sent.add(message);
  }

  @Override
  public void onError(Throwable problem) {
    error = problem;
  }

  @Override
  public void onCompleted() {
    completed = true;
  }

  @Override
  public void setOnReadyHandler(Runnable handler) {
    onReady = handler;
  }

  @Override
  public boolean isCancelled() {
    return false;
  }

  @Override
  public void setOnCancelHandler(Runnable handler) {
    onCancel = handler;
  }

  @Override
  public void setCompression(String compression) {}

  @Override
  public void disableAutoInboundFlowControl() {}

  @Override
  public void disableAutoRequest() {}

  @Override
  public void request(int count) {}

  @Override
  public void setMessageCompression(boolean enable) {}
}

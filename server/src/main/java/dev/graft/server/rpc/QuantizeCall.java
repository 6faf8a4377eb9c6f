package dev.graft.server.rpc;

import dev.graft.server.jobs.QuantizeJob;
import dev.graft.v1.QuantizeRequest;
import dev.graft.v1.QuantizeResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;

/** One Quantize stream. It has a thread of its own, which waits for lanes, disk and client. */
final class QuantizeCall implements QuantizeJob.Listener, Calls.Call {
  private final QuantizeJob job;
  private final Calls calls;
  private final Outbound<QuantizeResponse> outbound;

  /** Why the worker ends the call. Guarded by this. */
  private Throwable reason;

  QuantizeCall(QuantizeJob job, Calls calls, ServerCallStreamObserver<QuantizeResponse> responses) {
    this.job = job;
    this.calls = calls;
    this.outbound = new Outbound<>(responses);
    // Called when the client cancels, its connection breaks or its deadline passes.
    responses.setOnCancelHandler(
        () -> {
          outbound.abandon();
          job.cancel();
        });
  }

  void start(QuantizeRequest request) {
    try {
      calls.enter(this);
    } catch (RuntimeException e) {
      outbound.fail(e);
      return;
    }
    Thread thread = new Thread(() -> run(request), "graft-quantize");
    thread.setDaemon(true);
    thread.start();
  }

  private void run(QuantizeRequest request) {
    try {
      QuantizeJob.Result result = job.run(QuantizeMessages.request(request), this);
      outbound.send(QuantizeMessages.message(result));
      outbound.complete(() -> calls.leave(this));
    } catch (RuntimeException | Error e) { // whatever it is, the client must learn that it failed
      // First, so that a client that knows of the end finds the call gone, and its files.
      calls.leave(this);
      outbound.fail(calls.explained(explained(e)));
    }
  }

  private synchronized Throwable explained(Throwable error) {
    return reason == null ? error : reason;
  }

  @Override
  public void onTensor(QuantizeJob.TensorReport report) {
    outbound.send(QuantizeMessages.message(report));
  }

  @Override
  public void onFile(String name, long offset, long fileBytes, ByteBuffer data) {
    outbound.send(QuantizeMessages.message(name, offset, fileBytes, data));
  }

  /** A call that ends interrupts the wait. */
  @Override
  public void awaitRoom() throws InterruptedException {
    CountDownLatch room = new CountDownLatch(1);
    outbound.whenRoom(room::countDown);
    room.await();
  }

  @Override
  public void drain() {
    synchronized (this) {
      reason = Calls.draining();
    }
    job.cancel();
  }
}

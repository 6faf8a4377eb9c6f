package dev.graft.client.pool;

import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.WorkerServiceGrpc;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Follows whether a worker serves, by {@code grpc.health.v1}, and lets it describe itself whenever
 * it does. Used in the pool's synchronization context only.
 */
final class HealthWatch {
  /** Hears of it, in the context, until the watch is closed. */
  interface Listener {
    void serves(DescribeWorkerResponse description);

    void doesNotServe(String why);
  }

  private static final long WATCH_AGAIN_MILLIS = 500;
  private static final long DESCRIBE_SECONDS = 20;

  private final Channel channel;
  private final SynchronizationContext loop;
  private final ScheduledExecutorService scheduler;
  private final Listener listener;
  private final CancellableContext watching = Context.ROOT.withCancellation();
  private int watchNumber; // tells answers of earlier watches from those of this one
  private boolean closed;

  HealthWatch(
      Channel channel,
      SynchronizationContext loop,
      ScheduledExecutorService scheduler,
      Listener listener) {
    this.channel = channel;
    this.loop = loop;
    this.scheduler = scheduler;
    this.listener = listener;
  }

  void start() {
    int number = ++watchNumber;
    watching.run(
        () ->
            HealthGrpc.newStub(channel)
                .withWaitForReady()
                .watch(HealthCheckRequest.getDefaultInstance(), new Health(number)));
  }

  private final class Health implements StreamObserver<HealthCheckResponse> {
    private final int number;

    Health(int number) {
      this.number = number;
    }

    @Override
    public void onNext(HealthCheckResponse health) {
      inLoop(
          number,
          () -> {
            if (health.getStatus() == ServingStatus.SERVING) {
              describe(number);
            } else {
              listener.doesNotServe("it says " + health.getStatus());
            }
          });
    }

    @Override
    public void onError(Throwable thrown) {
      inLoop(
          number,
          () -> {
            if (Status.fromThrowable(thrown).getCode() == Status.Code.UNIMPLEMENTED) {
              describe(number); // as gRPC's health protocol says
            } else {
              lost(String.valueOf(Status.fromThrowable(thrown).getDescription()));
            }
          });
    }

    @Override
    public void onCompleted() {
      inLoop(number, () -> lost("it ended the health watch"));
    }
  }

  private void lost(String why) {
    listener.doesNotServe(why);
    watchLater();
  }

  private void describe(int number) {
    describe(
        answer -> inLoop(number, () -> listener.serves(answer)),
        thrown ->
            inLoop(number, () -> lost("it does not describe itself: " + thrown.getMessage())));
  }

  /** Lets it describe itself anew; where that fails, the watch will notice why. */
  void describeAgain() {
    int number = watchNumber;
    describe(answer -> inLoop(number, () -> listener.serves(answer)), thrown -> {});
  }

  private void describe(Consumer<DescribeWorkerResponse> onAnswer, Consumer<Throwable> onFailure) {
    watching.run(
        () ->
            WorkerServiceGrpc.newStub(channel)
                .withDeadlineAfter(DESCRIBE_SECONDS, TimeUnit.SECONDS)
                .describeWorker(
                    DescribeWorkerRequest.getDefaultInstance(),
                    new StreamObserver<>() {
                      @Override
                      public void onNext(DescribeWorkerResponse answer) {
                        onAnswer.accept(answer);
                      }

                      @Override
                      public void onError(Throwable thrown) {
                        onFailure.accept(thrown);
                      }

                      @Override
                      public void onCompleted() {}
                    }));
  }

  @SuppressWarnings("FutureReturnValueIgnored") // once closed it does nothing
  private void watchLater() {
    watchNumber++;
    scheduler.schedule(
        () ->
            loop.execute(
                () -> {
                  if (!closed) {
                    start();
                  }
                }),
        WATCH_AGAIN_MILLIS,
        TimeUnit.MILLISECONDS);
  }

  private void inLoop(int number, Runnable task) {
    loop.execute(
        () -> {
          if (!closed && number == watchNumber) {
            task.run();
          }
        });
  }

  void close() {
    closed = true;
    watching.cancel(null);
  }
}

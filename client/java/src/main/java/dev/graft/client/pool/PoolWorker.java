package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.ExtractResults;
import dev.graft.client.GraftClient;
import dev.graft.client.GraftRpcException;
import dev.graft.client.TrainJob;
import dev.graft.client.TrainingCall;
import dev.graft.v1.DescribeWorkerRequest;
import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.Item;
import dev.graft.v1.WorkerServiceGrpc;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * One worker: watched while it is a member, described whenever it turns healthy, and with what
 * Resilience4j knows about it. Used in the pool's synchronization context only.
 */
final class PoolWorker {
  /** Hears when the worker turns usable, or no longer is. */
  interface Listener {
    void up(PoolWorker worker);

    void down(PoolWorker worker, String why);
  }

  private static final long WATCH_AGAIN_MILLIS = 500;
  private static final long DESCRIBE_SECONDS = 20;

  private final String name;
  private final Channel channel;
  private final CircuitBreaker breaker;
  private final Bulkhead bulkhead;
  private final SynchronizationContext loop;
  private final ScheduledExecutorService scheduler;
  private final Listener listener;
  private final CancellableContext watching = Context.ROOT.withCancellation();
  private Optional<DescribeWorkerResponse> description = Optional.empty(); // present: it is up
  private volatile GraftClient client; // made when it is first up
  private long outstandingTokens;
  private int watchNumber; // tells answers of earlier watches from those of this one
  private boolean left;

  PoolWorker(
      String name,
      Channel channel,
      CircuitBreaker breaker,
      Bulkhead bulkhead,
      SynchronizationContext loop,
      ScheduledExecutorService scheduler,
      Listener listener) {
    this.name = name;
    this.channel = channel;
    this.breaker = breaker;
    this.bulkhead = bulkhead;
    this.loop = loop;
    this.scheduler = scheduler;
    this.listener = listener;
  }

  String name() {
    return name;
  }

  boolean isUp() {
    return description.isPresent();
  }

  Optional<DescribeWorkerResponse> description() {
    return description;
  }

  GraftClient client() {
    return client;
  }

  long outstandingTokens() {
    return outstandingTokens;
  }

  WorkerState state() {
    return new WorkerState(name, description, outstandingTokens);
  }

  /** Watches its health from now on. */
  void watch() {
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
              down("it says " + health.getStatus());
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
              down(String.valueOf(Status.fromThrowable(thrown).getDescription()));
              watchLater();
            }
          });
    }

    @Override
    public void onCompleted() {
      inLoop(
          number,
          () -> {
            down("it ended the health watch");
            watchLater();
          });
    }
  }

  private void describe(int number) {
    watching.run(
        () ->
            WorkerServiceGrpc.newStub(channel)
                .withDeadlineAfter(DESCRIBE_SECONDS, TimeUnit.SECONDS)
                .describeWorker(
                    DescribeWorkerRequest.getDefaultInstance(),
                    new StreamObserver<>() {
                      @Override
                      public void onNext(DescribeWorkerResponse answer) {
                        inLoop(number, () -> up(answer));
                      }

                      @Override
                      public void onError(Throwable thrown) {
                        inLoop(
                            number,
                            () -> {
                              down("it does not describe itself: " + thrown.getMessage());
                              watchLater();
                            });
                      }

                      @Override
                      public void onCompleted() {}
                    }));
  }

  private void up(DescribeWorkerResponse answer) {
    boolean wasUp = isUp();
    description = Optional.of(answer);
    if (client == null) {
      GraftClient.Builder builder = GraftClient.builder(channel);
      if (answer.getLimits().getMaxMessageBytes() > 0) {
        builder.maxMessageBytes(answer.getLimits().getMaxMessageBytes());
      }
      client = builder.build();
    }
    if (!wasUp) {
      breaker.reset(); // often it is another process than before
      listener.up(this);
    }
  }

  private void down(String why) {
    if (isUp()) {
      description = Optional.empty();
      listener.down(this, why);
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a watch of a worker that left does nothing
  private void watchLater() {
    watchNumber++;
    scheduler.schedule(
        () ->
            loop.execute(
                () -> {
                  if (!left) {
                    watch();
                  }
                }),
        WATCH_AGAIN_MILLIS,
        TimeUnit.MILLISECONDS);
  }

  private void inLoop(int number, Runnable task) {
    loop.execute(
        () -> {
          if (!left && number == watchNumber) {
            task.run();
          }
        });
  }

  /** The worker is no member any more. The calls that it has may end as they will. */
  void leave() {
    down("it is no longer among the target's addresses");
    left = true;
    watching.cancel(null);
  }

  /** Ends its calls too. */
  void close() {
    leave();
    if (client != null) {
      client.close();
    }
  }

  /** A place for a call, if it is up, not at its limit, and not failing. */
  Optional<Workforce.Place> take(long tokens) {
    if (!isUp() || !bulkhead.tryAcquirePermission()) {
      return Optional.empty();
    }
    if (!breaker.tryAcquirePermission()) {
      bulkhead.releasePermission();
      return Optional.empty();
    }
    outstandingTokens += tokens;
    return Optional.of(new TakenPlace(tokens, breaker.getCurrentTimestamp()));
  }

  private final class TakenPlace implements Workforce.Place {
    private final long tokens;
    private final long since;

    TakenPlace(long tokens, long since) {
      this.tokens = tokens;
      this.since = since;
    }

    @Override
    public String worker() {
      return name;
    }

    @Override
    public CompletableFuture<ExtractResults> extract(ExtractJob job, List<Item> items) {
      return client.extractAsync(job, items);
    }

    @Override
    public TrainingCall train(TrainJob job) {
      return client.train(job);
    }

    @Override
    public void leave() {
      release();
      breaker.onSuccess(breaker.getCurrentTimestamp() - since, breaker.getTimestampUnit());
    }

    @Override
    public void leave(Throwable failure) {
      release();
      breaker.onError(breaker.getCurrentTimestamp() - since, breaker.getTimestampUnit(), failure);
      if (failure instanceof GraftRpcException failed
          && failed.reason().equals(StallDetector.REASON)) {
        breaker.transitionToOpenState(); // or it would get, and hold, more
      }
    }

    @Override
    public void abandon() {
      release();
      breaker.releasePermission();
    }

    private void release() {
      outstandingTokens -= tokens;
      bulkhead.onComplete();
    }
  }
}

package dev.graft.client.pool;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.graft.client.ExtractJob;
import dev.graft.client.TrainJob;
import dev.graft.v1.Item;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.SynchronizationContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers of a farm: who is there, how they are, and who gets the next call. Safe for use by
 * many threads; jobs share it and run at the same time.
 *
 * <p>Workers are followed from the moment the pool is made: each is connected to, its health
 * watched, and it describes itself when it turns healthy.
 */
public final class WorkerPool implements AutoCloseable {
  private static final Logger logger = LoggerFactory.getLogger(WorkerPool.class);
  private static final Duration TICK = Duration.ofMillis(500);

  /** A worker that hangs does not answer pings; workers permit one every 10 seconds. */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

  private static final CircuitBreakerConfig BREAKERS =
      CircuitBreakerConfig.custom()
          .slidingWindowSize(8)
          .minimumNumberOfCalls(3)
          .failureRateThreshold(50)
          .permittedNumberOfCallsInHalfOpenState(1)
          .waitDurationInOpenState(Duration.ofSeconds(5))
          // A call that is refused for its own faults says nothing about the worker.
          .recordException(thrown -> RetryTable.scope(thrown) == RetryScope.OTHER_WORKER)
          .build();

  private final PoolOptions options;
  private final BulkheadConfig bulkheads;
  private final PoolEvents events = new PoolEvents();
  private final ScheduledThreadPoolExecutor scheduler = scheduler();
  private final SynchronizationContext loop =
      new SynchronizationContext((thread, thrown) -> defect(thrown));
  private final StallDetector stallDetector;
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final AtomicLong jobs = new AtomicLong();

  // Used in the loop only.
  private final Map<String, PoolWorker> workers = new LinkedHashMap<>();
  private final Set<PoolJob> waitingJobs = new LinkedHashSet<>();
  private boolean kindsAreMixed;
  private boolean closed;

  private WorkerPool(
      List<Target> targets,
      PoolOptions options,
      Function<String, ManagedChannelBuilder<?>> channelBuilders) {
    this.options = options;
    this.bulkheads =
        BulkheadConfig.custom()
            .maxConcurrentCalls(options.callsPerWorker())
            .maxWaitDuration(Duration.ZERO)
            .build();
    this.stallDetector =
        new StallDetector(options.firstMessageTimeout(), options.stallTimeout(), scheduler);
    WorkerBalancer.register();
    for (Target target : targets) {
      channels.add(open(target, channelBuilders.apply(target.name())));
    }
    ticking();
  }

  /** Follows workers with all defaults. See {@link #connect(String, PoolOptions)}. */
  public static WorkerPool connect(String targets) {
    return connect(targets, new PoolOptions());
  }

  /**
   * Follows workers.
   *
   * @param targets separated by commas: {@code HOST:PORT} for one worker, or any name that gRPC
   *     resolves, such as {@code dns:///NAME:PORT}, for as many as it has addresses
   */
  public static WorkerPool connect(String targets, PoolOptions options) {
    return new WorkerPool(
        Target.parse(targets),
        options,
        target ->
            Grpc.newChannelBuilder(target, options.credentials())
                .keepAliveTime(KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .keepAliveWithoutCalls(true));
  }

  /** For tests: over channels of another kind. */
  static WorkerPool over(
      String targets,
      PoolOptions options,
      Function<String, ManagedChannelBuilder<?>> channelBuilders) {
    return new WorkerPool(Target.parse(targets), options, channelBuilders);
  }

  /** All workers that are known, up or down. */
  public List<WorkerState> workers() {
    return CompletableFuture.supplyAsync(
            () -> workers.values().stream().map(PoolWorker::state).toList(), loop)
        .join();
  }

  /** Computes features, or predictions, of items, spread over the workers. */
  public PooledExtract extract(ExtractJob job, Iterable<? extends Item> items, ResultOrder order) {
    PooledExtract extract =
        new PooledExtract(jobs.incrementAndGet(), this, job, items, order, surroundings());
    admit(extract.shards());
    extract.start();
    return extract;
  }

  /** Trains a projector on features that are computed on all workers. */
  public PooledTraining train(TrainJob job) {
    return new PooledTraining(jobs.incrementAndGet(), this, job, options, events::add);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a copy of the future that nobody waits for
  PlaceRequest requestPlace(long tokens, Set<String> avoided) {
    PlaceRequest request =
        new PlaceRequest(workforce, tokens, avoided, options.patience(), System::nanoTime);
    request.place().whenComplete((place, thrown) -> loop.execute(() -> ended(request)));
    admit(request);
    return request;
  }

  private void admit(PoolJob job) {
    loop.execute(
        () -> {
          waitingJobs.add(job);
          if (closed) {
            job.giveUp("the pool is closed", null);
          }
          job.wake();
        });
  }

  private ShardedExtract.Surroundings surroundings() {
    return new ShardedExtract.Surroundings(
        workforce, options, loop, System::nanoTime, this::wakeLater, events::add);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // to wake once too often does no harm
  private void wakeLater(Duration pause) {
    scheduler.schedule(() -> loop.execute(this::wakeJobs), pause.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Whatever it is, jobs would wait for what was not done. Called in the loop. */
  private void defect(Throwable thrown) {
    logger.error("A defect in the coordination of workers", thrown);
    List<PoolJob> failing = List.copyOf(waitingJobs);
    waitingJobs.clear(); // or one that cannot even fail would come here again
    failing.forEach(
        job -> loop.execute(() -> job.giveUp("the pool has a defect: " + thrown, thrown)));
  }

  /** Called in the loop. */
  void ended(PoolJob job) {
    waitingJobs.remove(job);
  }

  /**
   * What happens in the pool and to its jobs, from the subscription on. A subscriber that is more
   * than a thousand events behind misses some.
   */
  public Flow.Publisher<PoolEvent> events() {
    return events.publisher();
  }

  /** Disconnects; jobs that run fail. */
  @Override
  public void close() {
    loop.execute(
        () -> {
          closed = true;
          List.copyOf(waitingJobs).forEach(job -> job.giveUp("the pool was closed", null));
          workers.values().forEach(PoolWorker::close);
          workers.clear();
        });
    channels.forEach(ManagedChannel::shutdownNow);
    scheduler.shutdownNow();
    events.close();
  }

  private ManagedChannel open(Target target, ManagedChannelBuilder<?> builder) {
    WorkerBalancer.ChannelHolder holder = new WorkerBalancer.ChannelHolder();
    ManagedChannel channel =
        builder
            .userAgent("graft-java")
            .defaultLoadBalancingPolicy(WorkerBalancer.POLICY)
            .idleTimeout(Long.MAX_VALUE, TimeUnit.DAYS) // workers are watched all the time
            .setNameResolverArg(WorkerBalancer.MEMBERSHIP, new Members())
            .setNameResolverArg(WorkerBalancer.TARGET, target)
            .setNameResolverArg(WorkerBalancer.CHANNEL, holder)
            .build();
    holder.channel = channel;
    channel.getState(true); // resolves the name, and so begins to follow its workers
    return channel;
  }

  private final class Members implements Membership {
    @Override
    public void joined(String name, Channel channel) {
      loop.execute(
          () -> {
            PoolWorker worker =
                new PoolWorker(
                    name,
                    ClientInterceptors.intercept(channel, stallDetector),
                    breaker(name),
                    Bulkhead.of(name, bulkheads),
                    loop,
                    scheduler,
                    new Ups());
            PoolWorker before = workers.put(name, worker);
            if (before != null) {
              before.leave(); // two targets name it
            }
            worker.watch();
          });
    }

    @Override
    public void left(String name) {
      loop.execute(
          () -> {
            PoolWorker worker = workers.remove(name);
            if (worker != null) {
              worker.leave();
            }
          });
    }

    @Override
    public void unresolved(String why) {
      logger.warn("The workers' name cannot be resolved: {}", why);
    }
  }

  private CircuitBreaker breaker(String name) {
    CircuitBreaker breaker = CircuitBreaker.of(name, BREAKERS);
    breaker
        .getEventPublisher()
        .onStateTransition(
            event ->
                events.add(
                    new PoolEvent.BreakerMoved(
                        name,
                        event.getStateTransition().getFromState(),
                        event.getStateTransition().getToState())));
    return breaker;
  }

  private final class Ups implements PoolWorker.Listener {
    @Override
    public void up(PoolWorker worker) {
      events.add(new PoolEvent.WorkerUp(worker.name(), worker.description().orElseThrow()));
      reportKinds();
      wakeJobs();
    }

    @Override
    public void down(PoolWorker worker, String why) {
      events.add(new PoolEvent.WorkerDown(worker.name(), why));
      reportKinds();
      wakeJobs();
    }
  }

  private void reportKinds() {
    Map<WorkerKind, List<String>> kinds =
        workers.values().stream()
            .filter(PoolWorker::isUp)
            .collect(
                groupingBy(
                    worker -> WorkerKind.of(worker.description().orElseThrow()),
                    mapping(PoolWorker::name, toList())));
    if (kinds.size() > 1 && !kindsAreMixed) {
      logger.warn(
          "Workers are of several kinds, so the last bits of features may differ: {}", kinds);
      events.add(new PoolEvent.MixedKinds(kinds));
    }
    kindsAreMixed = kinds.size() > 1;
  }

  private Optional<Workforce.Place> take(long tokens, Set<String> avoided, Set<String> excluded) {
    boolean othersAreUp =
        workers.values().stream()
            .anyMatch(worker -> worker.isUp() && !avoided.contains(worker.name()));
    List<PoolWorker> candidates =
        workers.values().stream()
            .filter(worker -> worker.isUp() && !excluded.contains(worker.name()))
            .filter(worker -> !othersAreUp || !avoided.contains(worker.name()))
            .sorted(Comparator.comparingLong(PoolWorker::outstandingTokens))
            .toList();
    for (PoolWorker candidate : candidates) {
      Optional<Workforce.Place> place = candidate.take(tokens);
      if (place.isPresent()) {
        return place;
      }
    }
    return Optional.empty();
  }

  /** The workers for jobs, which use them in {@link #loop()}. */
  final Workforce workforce =
      new Workforce() {
        @Override
        public Optional<Place> take(long tokens, Set<String> avoided, Set<String> excluded) {
          return WorkerPool.this.take(tokens, avoided, excluded);
        }

        @Override
        public int alive() {
          return (int) workers.values().stream().filter(PoolWorker::isUp).count();
        }
      };

  SynchronizationContext loop() {
    return loop;
  }

  private void wakeJobs() {
    List.copyOf(waitingJobs).forEach(PoolJob::wake);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // it ticks until the scheduler is shut down
  private void ticking() {
    scheduler.scheduleWithFixedDelay(
        () -> loop.execute(this::tick), TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void tick() {
    if (workers.isEmpty() || !workers.values().stream().allMatch(PoolWorker::isUp)) {
      // gRPC's own backoff grows to two minutes: as long as a job's patience.
      channels.forEach(ManagedChannel::resetConnectBackoff);
    }
    wakeJobs();
  }

  /** Once shut down it drops what it gets: calls end after the pool, and nobody waits for them. */
  static ScheduledThreadPoolExecutor scheduler() {
    ScheduledThreadPoolExecutor scheduler =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "graft-pool");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    scheduler.setRemoveOnCancelPolicy(true);
    return scheduler;
  }
}

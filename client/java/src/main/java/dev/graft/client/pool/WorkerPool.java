package dev.graft.client.pool;

import dev.graft.client.ExtractJob;
import dev.graft.client.TrainJob;
import dev.graft.v1.Item;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.SynchronizationContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

  private final PoolOptions options;
  private final PoolEvents events = new PoolEvents();
  private final ScheduledThreadPoolExecutor scheduler = scheduler();
  private final SynchronizationContext loop =
      new SynchronizationContext((thread, thrown) -> defect(thrown));
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final AtomicLong jobNumbers = new AtomicLong();

  // Used in the loop only.
  private final Workers workers;
  private final JobTurns jobs = new JobTurns();
  private boolean willServe;
  private boolean closed;

  private WorkerPool(
      List<Target> targets,
      PoolOptions options,
      Function<String, ManagedChannelBuilder<?>> channelBuilders) {
    this.options = options;
    this.workers =
        new Workers(options, loop, scheduler, System::nanoTime, events::add, this::serveSoon);
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
    return CompletableFuture.supplyAsync(workers::states, loop).join();
  }

  /** Computes features, or predictions, of items, spread over the workers. */
  public PooledExtract extract(ExtractJob job, Iterable<? extends Item> items, ResultOrder order) {
    return extract(job, items, order, Requirements.none());
  }

  /** The same, at workers that meet the requirements. */
  public PooledExtract extract(
      ExtractJob job,
      Iterable<? extends Item> items,
      ResultOrder order,
      Requirements requirements) {
    PooledExtract extract =
        new PooledExtract(
            jobNumbers.incrementAndGet(),
            this,
            job,
            WorkerChoice.of(requirements, job.spec().getFeatures()),
            items,
            order,
            surroundings());
    admit(extract.shards());
    extract.start();
    return extract;
  }

  /** Trains a projector on features that are computed on all workers. */
  public PooledTraining train(TrainJob job) {
    return train(job, Requirements.none());
  }

  /** The same, at workers that meet the requirements. */
  public PooledTraining train(TrainJob job, Requirements requirements) {
    return new PooledTraining(
        jobNumbers.incrementAndGet(), this, job, requirements, options, events::add);
  }

  /** To be handed to {@link #requestPlace} as long as a job does not get on. */
  Patience patience(WorkerChoice choice) {
    return new Patience(workers, choice, options.patience(), System::nanoTime);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a copy of the future that nobody waits for
  PlaceRequest requestPlace(
      WorkerChoice choice, long tokens, Set<String> avoided, Patience patience) {
    long since = System.nanoTime();
    PlaceRequest request =
        new PlaceRequest(
            workers,
            choice,
            tokens,
            avoided,
            patience,
            () -> System.nanoTime() - since >= options.longestBackoff().toNanos());
    request.place().whenComplete((place, thrown) -> loop.execute(() -> ended(request)));
    admit(request);
    return request;
  }

  private void admit(PoolJob job) {
    loop.execute(
        () -> {
          jobs.add(job);
          if (closed) {
            job.giveUp("the pool is closed", null);
          }
          serveSoon();
        });
  }

  private Surroundings surroundings() {
    return new Surroundings(
        workers, options, loop, System::nanoTime, this::serveSoon, this::serveLater, events::add);
  }

  /** Once for all that happens before. Called in the loop. */
  private void serveSoon() {
    if (!willServe) {
      willServe = true;
      loop.execute(
          () -> {
            willServe = false;
            jobs.serve();
          });
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // to serve once too often does no harm
  private void serveLater(Duration pause) {
    scheduler.schedule(() -> loop.execute(this::serveSoon), pause.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Whatever it is, jobs would wait for what was not done. Called in the loop. */
  private void defect(Throwable thrown) {
    logger.error("A defect in the coordination of workers", thrown);
    for (PoolJob job : jobs.all()) {
      jobs.remove(job); // or one that cannot even fail would come here again
      loop.execute(() -> job.giveUp("the pool has a defect: " + thrown, thrown));
    }
  }

  /** Called in the loop. */
  void ended(PoolJob job) {
    jobs.remove(job);
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
          jobs.all().forEach(job -> job.giveUp("the pool was closed", null));
          workers.close();
        });
    channels.forEach(ManagedChannel::shutdownNow);
    scheduler.shutdownNow();
    events.close();
  }

  private ManagedChannel open(Target target, ManagedChannelBuilder<?> builder) {
    WorkerBalancer.ChannelWorkers found = new WorkerBalancer.ChannelWorkers(target, workers);
    ManagedChannel channel =
        builder
            .userAgent("graft-java")
            .defaultLoadBalancingPolicy(WorkerBalancer.POLICY)
            .idleTimeout(Long.MAX_VALUE, TimeUnit.DAYS) // workers are watched all the time
            .setNameResolverArg(WorkerBalancer.WORKERS, found)
            .build();
    found.follow(channel);
    return channel;
  }

  /** The workers for jobs, which use them in {@link #loop()}. */
  Workforce workforce() {
    return workers;
  }

  SynchronizationContext loop() {
    return loop;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // it ticks until the scheduler is shut down
  private void ticking() {
    scheduler.scheduleWithFixedDelay(
        () -> loop.execute(this::tick), TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void tick() {
    if (!workers.areAllUp()) {
      // gRPC's own backoff grows to two minutes: as long as a job's patience.
      channels.forEach(ManagedChannel::resetConnectBackoff);
    }
    serveSoon();
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

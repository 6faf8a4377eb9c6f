package dev.graft.client.pool;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.graft.v1.DescribeWorkerResponse;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.SynchronizationContext;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers that are members, up or down, and who of them gets a call. Used in the pool's
 * synchronization context only, but for what gRPC tells of members.
 */
final class Workers implements Workforce, Membership {
  private static final Logger logger = LoggerFactory.getLogger(Workers.class);
  private static final int MOST_EXPLAINED = 5;

  private record Member(PoolWorker worker, HealthWatch health) {}

  private final PoolOptions options;
  private final SynchronizationContext loop;
  private final ScheduledExecutorService scheduler;
  private final StallDetector stallDetector;
  private final LongSupplier nanoTime;
  private final Consumer<PoolEvent> events;
  private final Runnable changed;
  private final Map<String, Member> members = new LinkedHashMap<>();
  private final Set<String> missing = new HashSet<>(); // those told of
  private boolean kindsAreMixed;
  private boolean closed;

  /**
   * Without members at first.
   *
   * @param changed runs when a worker is up or no longer is
   */
  Workers(
      PoolOptions options,
      SynchronizationContext loop,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTime,
      Consumer<PoolEvent> events,
      Runnable changed) {
    this.options = options;
    this.loop = loop;
    this.scheduler = scheduler;
    this.stallDetector =
        new StallDetector(
            options.firstMessageTimeout(),
            options.stallTimeout(),
            options.trainingStallTimeout(),
            scheduler);
    this.nanoTime = nanoTime;
    this.events = events;
    this.changed = changed;
  }

  @Override
  public void joined(String name, Channel channel) {
    loop.execute(
        () -> {
          Channel watched = ClientInterceptors.intercept(channel, stallDetector);
          PoolWorker worker =
              new PoolWorker(
                  name,
                  watched,
                  new WorkerGate(name, options, nanoTime, events),
                  nanoTime,
                  () -> describeAgain(name));
          HealthWatch health = new HealthWatch(channel, loop, scheduler, new Health(worker));
          Member before = members.put(name, new Member(worker, health));
          if (before != null) {
            leave(before); // two targets name it
          }
          health.start();
        });
  }

  private void describeAgain(String name) {
    Optional.ofNullable(members.get(name)).ifPresent(member -> member.health().describeAgain());
  }

  @Override
  public void left(String name) {
    loop.execute(() -> Optional.ofNullable(members.remove(name)).ifPresent(this::leave));
  }

  /** It is no member any more. The calls that it has may end as they will. */
  private void leave(Member member) {
    member.health().close();
    if (member.worker().isUp()) {
      down(member.worker(), "it is no longer among the target's addresses");
    }
    missing.remove(member.worker().name());
  }

  @Override
  public void unreachable(String name, String why) {
    loop.execute(
        () -> {
          Member member = members.get(name);
          if (member != null && !member.worker().isUp()) {
            down(member.worker(), why); // its health watch waits until it can be reached
          }
        });
  }

  @Override
  public void unresolved(String target, String why) {
    logger.warn("The name {} cannot be resolved: {}", target, why);
    loop.execute(() -> missing(target, "its name cannot be resolved: " + why));
  }

  private void missing(String name, String why) {
    if (!closed && missing.add(name)) {
      events.accept(new PoolEvent.WorkerMissing(name, why));
    }
  }

  private final class Health implements HealthWatch.Listener {
    private final PoolWorker worker;

    Health(PoolWorker worker) {
      this.worker = worker;
    }

    @Override
    public void serves(DescribeWorkerResponse description) {
      if (worker.up(description)) {
        missing.remove(worker.name());
        events.accept(new PoolEvent.WorkerUp(worker.name(), description));
        reportKinds();
        changed.run();
      }
    }

    @Override
    public void doesNotServe(String why) {
      down(worker, why);
    }
  }

  private void down(PoolWorker worker, String why) {
    if (!worker.down(why)) {
      missing(worker.name(), why);
    } else if (!closed) {
      missing.add(worker.name()); // told of by this
      events.accept(new PoolEvent.WorkerDown(worker.name(), why));
      reportKinds();
      changed.run();
    }
  }

  private void reportKinds() {
    Map<WorkerKind, List<String>> kinds =
        up().stream()
            .collect(
                groupingBy(
                    worker -> WorkerKind.of(worker.description().orElseThrow()),
                    mapping(PoolWorker::name, toList())));
    if (kinds.size() > 1 && !kindsAreMixed) {
      logger.info("Workers are of several kinds, so features may differ in last bits: {}", kinds);
      events.accept(new PoolEvent.MixedKinds(kinds));
    }
    kindsAreMixed = kinds.size() > 1;
  }

  List<WorkerState> states() {
    return members.values().stream().map(member -> member.worker().state()).toList();
  }

  boolean areAllUp() {
    return !members.isEmpty() && up().size() == members.size();
  }

  private List<PoolWorker> up() {
    return members.values().stream().map(Member::worker).filter(PoolWorker::isUp).toList();
  }

  private record Candidate(PoolWorker worker, int rank) {}

  @Override
  public Optional<Place> take(
      WorkerChoice choice, long tokens, Set<String> avoided, Set<String> excluded) {
    List<PoolWorker> able = able(choice).toList();
    boolean othersAreUp = able.stream().anyMatch(worker -> !avoided.contains(worker.name()));
    List<PoolWorker> free =
        able.stream()
            .filter(PoolWorker::hasRoom)
            .filter(worker -> !excluded.contains(worker.name()))
            .filter(worker -> !othersAreUp || !avoided.contains(worker.name()))
            .toList();
    if (free.isEmpty()) {
      return Optional.empty(); // most often: the rest takes its time in a large farm
    }
    long bytes = choice.backboneBytes(descriptions());
    return free.stream()
        .map(
            worker -> new Candidate(worker, choice.rank(worker.description().orElseThrow(), bytes)))
        .sorted(
            Comparator.comparingInt(Candidate::rank)
                .thenComparingLong(candidate -> candidate.worker().outstandingTokens()))
        .map(candidate -> candidate.worker().take(choice, tokens))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Stream<PoolWorker> able(WorkerChoice choice) {
    return up().stream().filter(worker -> worker.canDo(choice));
  }

  private List<DescribeWorkerResponse> descriptions() {
    return up().stream().map(PoolWorker::description).flatMap(Optional::stream).toList();
  }

  @Override
  public int alive() {
    return up().size();
  }

  @Override
  public int calls() {
    return up().stream().mapToInt(PoolWorker::calls).sum();
  }

  @Override
  public Optional<String> whyNever(WorkerChoice choice) {
    return areAllUp() && able(choice).findAny().isEmpty()
        ? Optional.of(whyNobody(choice))
        : Optional.empty();
  }

  @Override
  public boolean isHeldBack(WorkerChoice choice) {
    return able(choice).anyMatch(PoolWorker::isHeldBack);
  }

  @Override
  public OptionalLong lastDone(WorkerChoice choice) {
    return able(choice)
        .map(PoolWorker::lastDone)
        .flatMapToLong(OptionalLong::stream)
        .reduce((one, other) -> one - other > 0 ? one : other);
  }

  @Override
  public String whyNobody(WorkerChoice choice) {
    if (members.isEmpty()) {
      return missing.isEmpty()
          ? "no worker is known yet"
          : "no worker is known; the names that cannot be resolved: " + missing;
    }
    String first =
        members.values().stream()
            .limit(MOST_EXPLAINED)
            .map(member -> member.worker().whyNot(choice))
            .collect(joining("; "));
    int others = members.size() - MOST_EXPLAINED;
    return others > 0 ? "%s; and %d others".formatted(first, others) : first;
  }

  /** Ends all calls; nothing is told any more. */
  void close() {
    closed = true;
    List<Member> leaving = List.copyOf(members.values());
    members.clear();
    for (Member member : leaving) {
      leave(member);
      member.worker().close();
    }
  }
}

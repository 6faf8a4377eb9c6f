package dev.graft.cli.progress;

import dev.graft.client.pool.PoolEvent;
import dev.graft.client.pool.WorkerState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What each worker of a farm is at, counted from events. */
final class WorkerTallies {
  private static final Duration RATE_WINDOW = Duration.ofSeconds(20);
  private static final int MOST_LINES = 16;

  private record ShardKey(long job, long shard) {}

  private record Done(Instant when, long tokens) {}

  private static final class Tally {
    private boolean up;
    private boolean lost;
    private String whyDown = "not reached yet";
    private final Deque<Done> done = new ArrayDeque<>();
    private Optional<Instant> firstShard = Optional.empty();
  }

  private final Map<String, Tally> workers = new TreeMap<>();
  private final Map<ShardKey, Set<String>> running = new HashMap<>();
  private Optional<String> training = Optional.empty();

  private Tally of(String worker) {
    return workers.computeIfAbsent(worker, name -> new Tally());
  }

  /** A worker as it is, unless an event told of it. */
  void known(WorkerState state) {
    if (!workers.containsKey(state.worker())) {
      of(state.worker()).up = state.description().isPresent();
    }
    Tally tally = of(state.worker());
    if (!tally.up && !tally.lost) {
      tally.whyDown = oneLine(state.whyDown());
    }
  }

  private static String oneLine(String why) {
    return why.replaceAll("\\p{Cntrl}+", " ");
  }

  void up(String worker) {
    of(worker).up = true;
    of(worker).lost = false;
  }

  /** It was never up. */
  void missing(String worker, String why) {
    of(worker).up = false;
    of(worker).whyDown = oneLine(why);
  }

  void down(String worker, String why) {
    missing(worker, why);
    of(worker).lost = true;
    running.values().forEach(holders -> holders.remove(worker));
    if (training.equals(Optional.of(worker))) {
      nobodyTrains();
    }
  }

  void started(PoolEvent.ShardStarted shard, Instant now) {
    Tally tally = of(shard.worker());
    tally.firstShard = tally.firstShard.or(() -> Optional.of(now));
    running
        .computeIfAbsent(new ShardKey(shard.job(), shard.shard()), key -> new HashSet<>())
        .add(shard.worker());
  }

  void done(PoolEvent.ShardDone shard, Instant now) {
    of(shard.worker()).done.add(new Done(now, shard.tokens()));
    running.remove(new ShardKey(shard.job(), shard.shard()));
  }

  void failed(PoolEvent.ShardRetried shard) {
    running.remove(new ShardKey(shard.job(), shard.shard()));
  }

  /** This worker trains now. Returns whether it did not before. */
  boolean trains(String worker) {
    boolean news = !training.equals(Optional.of(worker));
    training = Optional.of(worker);
    return news;
  }

  void nobodyTrains() {
    training = Optional.empty();
  }

  /** Whether it was up and is down now. */
  boolean isLost(String worker) {
    return workers.containsKey(worker) && workers.get(worker).lost;
  }

  boolean anyUp() {
    return workers.values().stream().anyMatch(tally -> tally.up);
  }

  /** Those that are down, and why. */
  List<String> downs() {
    return workers.entrySet().stream()
        .filter(worker -> !worker.getValue().up)
        .map(worker -> worker.getKey() + " (" + worker.getValue().whyDown + ")")
        .toList();
  }

  /** A line for each worker. */
  List<String> lines(Instant now) {
    int width = workers.keySet().stream().mapToInt(String::length).max().orElse(0);
    List<String> lines = new ArrayList<>();
    for (Map.Entry<String, Tally> worker : workers.entrySet()) {
      if (lines.size() == MOST_LINES - 1 && workers.size() > MOST_LINES) {
        lines.add("  and " + (workers.size() - lines.size()) + " more");
        break;
      }
      lines.add(
          ("  %-" + Math.max(1, width) + "s  %s")
              .formatted(worker.getKey(), describe(worker.getKey(), worker.getValue(), now)));
    }
    return lines;
  }

  private String describe(String worker, Tally tally, Instant now) {
    if (!tally.up) {
      return "down: " + tally.whyDown;
    }
    if (training.equals(Optional.of(worker))) {
      return "training";
    }
    long shards = running.values().stream().filter(holders -> holders.contains(worker)).count();
    return String.format(
        Locale.ROOT,
        "%d %s, %,.0f tokens/s",
        shards,
        shards == 1 ? "shard" : "shards",
        tokensPerSecond(tally, now));
  }

  private static double tokensPerSecond(Tally tally, Instant now) {
    Instant since = now.minus(RATE_WINDOW);
    while (!tally.done.isEmpty() && tally.done.peek().when().isBefore(since)) {
      tally.done.remove();
    }
    long tokens = tally.done.stream().mapToLong(Done::tokens).sum();
    Instant first = tally.firstShard.filter(since::isBefore).orElse(since);
    return tokens / Math.max(1e-3, Duration.between(first, now).toMillis() / 1e3);
  }
}

package dev.graft.client.pool;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The jobs of a pool and how they share its workers: a place that is free goes to the job with the
 * fewest calls under way, so that one that came first does not keep all others out; and hedges get
 * only what no job waits for. Used in the pool's synchronization context only.
 */
final class JobTurns {
  private final Set<PoolJob> jobs = new LinkedHashSet<>(); // who got a place last comes last

  void add(PoolJob job) {
    jobs.add(job);
  }

  void remove(PoolJob job) {
    jobs.remove(job);
  }

  /** Jobs that are not over. */
  List<PoolJob> all() {
    return List.copyOf(jobs);
  }

  /** Something may have changed. */
  void serve() {
    startCalls();
    all().forEach(PoolJob::check); // of those who got nothing
    if (jobs.stream().noneMatch(PoolJob::isWaiting)) {
      all().forEach(PoolJob::hedge);
    }
  }

  private void startCalls() {
    List<PoolJob> waiting = new ArrayList<>(jobs);
    waiting.removeIf(job -> !job.isWaiting());
    while (!waiting.isEmpty()) {
      PoolJob next =
          Collections.min(waiting, Comparator.comparingInt(PoolJob::callsUnderWay)); // the first
      waiting.remove(next);
      if (next.startCall()) {
        if (jobs.remove(next)) {
          jobs.add(next);
        }
        waiting.add(next);
      }
    }
  }
}

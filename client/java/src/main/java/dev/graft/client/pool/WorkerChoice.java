package dev.graft.client.pool;

import dev.graft.v1.DescribeWorkerResponse;
import dev.graft.v1.FeatureSpec;
import dev.graft.v1.LoadedBackbone;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which workers a job's calls may go to, and which they rather go to.
 *
 * @param backbone the backbone's path as the spec has it; empty without
 * @param hubRepository what the directory of one from a hub has in its path; empty for others
 */
record WorkerChoice(Requirements requirements, String backbone, String hubRepository) {
  private static final Pattern HUB = Pattern.compile("hf://([^/@]+)/([^/@]+).*");

  static WorkerChoice of(Requirements requirements, FeatureSpec features) {
    return of(requirements.and(features), features.getBackbone().getPath());
  }

  static WorkerChoice of(Requirements requirements, String backbone) {
    Matcher hub = HUB.matcher(backbone);
    String repository =
        hub.matches() ? "/models--%s--%s/".formatted(hub.group(1), hub.group(2)) : "";
    return new WorkerChoice(requirements, backbone, repository);
  }

  /** Of calls that need no backbone. */
  static WorkerChoice withoutBackbone(Requirements requirements) {
    return of(requirements, "");
  }

  /** Whether the worker has the backbone in memory; nobody lacks one that the job does not need. */
  boolean isLoadedAt(DescribeWorkerResponse worker) {
    return backbone.isEmpty() || worker.getLoadedBackbonesList().stream().anyMatch(this::is);
  }

  /** Workers name a backbone by its directory, once links are resolved. */
  private boolean is(LoadedBackbone loaded) {
    return hubRepository.isEmpty()
        ? loaded.getPath().equals(backbone) || loaded.getPath().endsWith("/" + backbone)
        : loaded.getPath().contains(hubRepository);
  }

  /** Size of the backbone's tensors, as the workers that have it know; 0 if none does. */
  long backboneBytes(Collection<DescribeWorkerResponse> workers) {
    return workers.stream()
        .flatMap(worker -> worker.getLoadedBackbonesList().stream())
        .filter(this::is)
        .mapToLong(LoadedBackbone::getBytes)
        .max()
        .orElse(0);
  }

  /**
   * The lower, the rather a worker is asked: 0 has the backbone in memory; the device of 1 can hold
   * it, as far as is known; 2 computes it all the same, but piece by piece.
   */
  int rank(DescribeWorkerResponse worker, long backboneBytes) {
    if (isLoadedAt(worker)) {
      return 0;
    }
    long memory = worker.getDevice().getTotalMemoryBytes();
    return memory == 0 || memory >= backboneBytes ? 1 : 2;
  }
}

package dev.graft.it;

import dev.graft.client.pool.WorkerPool;
import java.util.ArrayList;
import java.util.List;

/** Workers that tests share, and do things to. */
final class Farm implements AutoCloseable {
  private final List<FarmMember> members = new ArrayList<>();

  static Farm start(int workers) throws Exception {
    Farm farm = new Farm();
    for (int i = 0; i < workers; i++) {
      farm.members.add(FarmMember.start());
    }
    return farm;
  }

  /** What the jobs come to on its first worker, while nobody disturbs it. */
  FarmJobs undisturbed() {
    try (WorkerPool pool = WorkerPool.connect(member(0).name(), FarmJobs.options())) {
      return FarmJobs.on(pool);
    }
  }

  List<FarmMember> members() {
    return members;
  }

  FarmMember member(int number) {
    return members.get(number);
  }

  FarmMember member(String name) {
    return members.stream().filter(member -> member.name().equals(name)).findFirst().orElseThrow();
  }

  List<String> names() {
    return members.stream().map(FarmMember::name).toList();
  }

  /** The names as a command and a pool take them. */
  String targets() {
    return String.join(",", names());
  }

  /** Whatever was done to them, all are alive then, and go on. */
  void revive() throws Exception {
    for (FarmMember member : members) {
      member.revive();
    }
  }

  @Override
  public void close() {
    members.forEach(FarmMember::close);
  }
}

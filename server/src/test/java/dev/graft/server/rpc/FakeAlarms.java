package dev.graft.server.rpc;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Alarms of a time that the test makes pass. */
final class FakeAlarms implements Alarms {
  private final Map<Object, Runnable> actions = new LinkedHashMap<>();
  private final Map<Object, Duration> times = new LinkedHashMap<>();
  private Duration now = Duration.ZERO;

  @Override
  public Alarm set(Duration delay, Runnable action) {
    Object alarm = new Object();
    actions.put(alarm, action);
    times.put(alarm, now.plus(delay));
    return () -> {
      actions.remove(alarm);
      times.remove(alarm);
    };
  }

  /** How many will go off. */
  int count() {
    return actions.size();
  }

  /** Lets time pass. */
  void pass(Duration time) {
    now = now.plus(time);
    List<Object> due =
        times.entrySet().stream()
            .filter(each -> each.getValue().compareTo(now) <= 0)
            .map(Map.Entry::getKey)
            .toList();
    due.forEach(times::remove);
    due.stream().map(actions::remove).toList().forEach(Runnable::run);
  }
}

package dev.graft.server.hub;

import java.time.Duration;

/** Lets time pass. */
@FunctionalInterface
interface Pause {
  Pause REAL = duration -> Thread.sleep(duration.toMillis());

  void await(Duration duration) throws InterruptedException;
}

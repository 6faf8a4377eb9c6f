package dev.graft.cli;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** Ten seconds pass whenever somebody looks. */
final class TickingClock extends Clock {
  private Instant now = Instant.EPOCH;

  @Override
  public Instant instant() {
    now = now.plusSeconds(10);
    return now;
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }
}

package dev.graft.client.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How jobs share places. */
class JobTurnsTest {
  private final JobTurns turns = new JobTurns();
  private final List<String> started = new ArrayList<>();
  private final List<String> hedged = new ArrayList<>();
  private int places;

  /** Has calls that wait, and starts them while there are places. */
  private final class Job implements PoolJob {
    private final String name;
    private int waiting;
    private int underWay;

    Job(String name, int waiting) {
      this.name = name;
      this.waiting = waiting;
      turns.add(this);
    }

    @Override
    public void check() {}

    @Override
    public boolean isWaiting() {
      return waiting > 0;
    }

    @Override
    public int callsUnderWay() {
      return underWay;
    }

    @Override
    public boolean startCall() {
      if (places == 0) {
        return false;
      }
      places--;
      waiting--;
      underWay++;
      started.add(name);
      return true;
    }

    @Override
    public void hedge() {
      hedged.add(name);
    }

    @Override
    public void giveUp(String why, Throwable causeOrNull) {}

    void callDone() {
      underWay--;
      places++;
      turns.serve();
    }
  }

  @Test
  void whoHasTheFewestCallsIsNext() {
    places = 4;
    Job first = new Job("first", 10);
    turns.serve();
    assertThat(started).containsExactly("first", "first", "first", "first");
    Job second = new Job("second", 10);
    first.callDone();
    first.callDone();
    assertThat(started.subList(4, 6)).containsExactly("second", "second");
    second.callDone();
    assertThat(started.get(6)).isEqualTo("second");
  }

  @Test
  void onePlaceGoesRound() {
    places = 1;
    Job first = new Job("first", 10);
    Job second = new Job("second", 10);
    turns.serve();
    first.callDone();
    second.callDone();
    first.callDone();
    assertThat(started).containsExactly("first", "second", "first", "second");
  }

  @Test
  void hedgesWaitForWhoeverWaits() {
    places = 1;
    new Job("first", 1);
    Job second = new Job("second", 1);
    turns.serve();
    assertThat(hedged).isEmpty();
    turns.remove(second);
    turns.serve();
    assertThat(hedged).containsExactly("first");
  }
}

package dev.graft.client;

import org.junit.jupiter.api.Nested;

/** Every scenario within one process. */
class InProcessTest {
  @Nested
  class Extract extends ExtractScenarios {
    Extract() {
      super(Transport.IN_PROCESS);
    }
  }

  @Nested
  class Train extends TrainScenarios {
    Train() {
      super(Transport.IN_PROCESS);
    }
  }

  @Nested
  class Failure extends FailureScenarios {
    Failure() {
      super(Transport.IN_PROCESS);
    }
  }
}

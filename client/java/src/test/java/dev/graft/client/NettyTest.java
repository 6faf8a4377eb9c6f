package dev.graft.client;

import org.junit.jupiter.api.Nested;

/** Every scenario over real sockets. */
class NettyTest {
  @Nested
  class Extract extends ExtractScenarios {
    Extract() {
      super(Transport.NETTY);
    }
  }
}

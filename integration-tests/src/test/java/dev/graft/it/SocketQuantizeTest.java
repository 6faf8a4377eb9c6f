package dev.graft.it;

import dev.graft.server.rpc.WorkerOptions;

class SocketQuantizeTest extends QuantizeScenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.overSockets(options);
  }
}

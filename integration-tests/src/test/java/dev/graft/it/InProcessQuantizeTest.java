package dev.graft.it;

import dev.graft.server.rpc.WorkerOptions;

class InProcessQuantizeTest extends QuantizeScenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.inProcess(options);
  }
}

package dev.graft.it;

import dev.graft.server.rpc.WorkerOptions;

class InProcessProtocolTest extends ProtocolScenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.inProcess(options);
  }
}

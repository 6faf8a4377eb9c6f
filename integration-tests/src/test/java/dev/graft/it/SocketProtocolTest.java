package dev.graft.it;

import dev.graft.server.rpc.WorkerOptions;

class SocketProtocolTest extends ProtocolScenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.overSockets(options);
  }
}

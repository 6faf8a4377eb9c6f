package dev.graft.it;

import dev.graft.server.rpc.WorkerOptions;

class SocketScenariosTest extends Scenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.overSockets(options);
  }
}

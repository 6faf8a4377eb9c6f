package dev.graft.it;

import dev.graft.server.rpc.WorkerOptions;

class InProcessScenariosTest extends Scenarios {
  @Override
  WorkerUnderTest start(WorkerOptions options) {
    return WorkerUnderTest.inProcess(options);
  }
}

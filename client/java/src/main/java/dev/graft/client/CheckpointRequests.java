package dev.graft.client;

import dev.graft.v1.CheckpointRequest;
import dev.graft.v1.TrainRequest;

/** Train calls of one origin, that can be asked for checkpoints while they run. */
final class CheckpointRequests {
  private static final TrainRequest REQUEST =
      TrainRequest.newBuilder()
          .setCheckpointRequest(CheckpointRequest.getDefaultInstance())
          .build();

  private final OpenCalls<StreamingCall<TrainRequest, ?, ?>> calls;

  CheckpointRequests(OpenCalls<? super StreamingCall<TrainRequest, ?, ?>> all) {
    this.calls = new OpenCalls<>(all);
  }

  OpenCalls<StreamingCall<TrainRequest, ?, ?>> calls() {
    return calls;
  }

  void send() {
    calls.forEach(call -> call.send(REQUEST));
  }
}

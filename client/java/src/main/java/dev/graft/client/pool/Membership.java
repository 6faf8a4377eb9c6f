package dev.graft.client.pool;

import io.grpc.CallOptions;
import io.grpc.Channel;

/** Hears which workers name resolution has found. Called by gRPC, one call at a time. */
interface Membership {
  /** Names the worker that a call goes to. */
  CallOptions.Key<String> WORKER = CallOptions.Key.create("graft-worker");

  /**
   * A worker is there now.
   *
   * @param worker its name, unlike that of any other of the same target
   * @param channel calls on it go to this worker alone
   */
  void joined(String worker, Channel channel);

  /** A worker is not there any more; calls to it fail. */
  void left(String worker);

  /** A worker cannot be reached at the moment. */
  void unreachable(String worker, String why);

  /** The target's name cannot be resolved at the moment. */
  void unresolved(String target, String why);
}

package dev.graft.client;

/** The worker cannot be reached, or is going away. Try again, or another worker. */
public final class WorkerUnavailableException extends GraftRpcException {
  WorkerUnavailableException(Failure failure) {
    super(failure);
  }
}

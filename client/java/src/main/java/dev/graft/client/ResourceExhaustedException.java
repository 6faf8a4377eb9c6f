package dev.graft.client;

/** Something is too large for the worker, or the worker has too much to do at the moment. */
public final class ResourceExhaustedException extends GraftRpcException {
  ResourceExhaustedException(Failure failure) {
    super(failure);
  }
}

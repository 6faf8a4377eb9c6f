package dev.graft.client;

/** The worker does not implement the backbone's architecture or one of its options. */
public final class UnsupportedBackboneException extends GraftRpcException {
  UnsupportedBackboneException(Failure failure) {
    super(failure);
  }
}

package dev.graft.client;

/** The backbone's files are damaged, incomplete, or changed during the call. */
public final class DamagedBackboneException extends GraftRpcException {
  DamagedBackboneException(Failure failure) {
    super(failure);
  }
}

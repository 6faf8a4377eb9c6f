package dev.graft.client;

/** The call took longer than its deadline. */
public final class DeadlineExceededException extends GraftRpcException {
  DeadlineExceededException(Failure failure) {
    super(failure);
  }
}

package dev.graft.client;

/** The call was cancelled, by this side or by something between it and the worker. */
public final class CallCancelledException extends GraftRpcException {
  CallCancelledException(Failure failure) {
    super(failure);
  }
}

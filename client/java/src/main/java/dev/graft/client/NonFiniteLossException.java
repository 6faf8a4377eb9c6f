package dev.graft.client;

/** The loss became NaN or infinite; {@link #lastCheckpoint()} is from before. */
public final class NonFiniteLossException extends GraftRpcException {
  NonFiniteLossException(Failure failure) {
    super(failure);
  }
}

package dev.graft.client;

/** The worker answered against the contract; nothing of the call can be relied on. */
public final class BrokenContractException extends GraftRpcException {
  BrokenContractException(Failure failure) {
    super(failure);
  }
}

package dev.graft.client;

/** The spec, a file or an item is wrong; {@link #fieldViolations()} names the fields. */
public final class InvalidRequestException extends GraftRpcException {
  InvalidRequestException(Failure failure) {
    super(failure);
  }
}

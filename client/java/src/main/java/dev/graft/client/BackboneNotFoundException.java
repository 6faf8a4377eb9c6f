package dev.graft.client;

/** No such backbone under the worker's model roots. */
public final class BackboneNotFoundException extends GraftRpcException {
  BackboneNotFoundException(Failure failure) {
    super(failure);
  }
}

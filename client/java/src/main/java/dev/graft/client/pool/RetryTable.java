package dev.graft.client.pool;

import dev.graft.client.GraftRpcException;
import io.grpc.Status;

/**
 * Which failures are tried again, and where. The one place that decides it.
 *
 * <p>A status without a reason comes from gRPC or from a proxy, not from a worker.
 */
public final class RetryTable {
  private RetryTable() {}

  /** Where a call that failed with this may be tried again. What no call of ours gave: nowhere. */
  public static RetryScope scope(Throwable thrown) {
    return thrown instanceof GraftRpcException failed
        ? scope(failed.code(), failed.reason())
        : RetryScope.NEVER;
  }

  /**
   * Where a call that failed with this may be tried again.
   *
   * @param reason the worker's, or empty
   */
  public static RetryScope scope(Status.Code code, String reason) {
    return switch (code) {
      case UNAVAILABLE -> RetryScope.OTHER_WORKER; // lost, unreachable, draining, stalled
      case RESOURCE_EXHAUSTED ->
          switch (reason) {
            case "MESSAGE_TOO_LARGE", "FILE_TOO_LARGE", "DATASET_TOO_LARGE" -> RetryScope.NEVER;
            default -> RetryScope.OTHER_WORKER; // TOO_MANY_CALLS, OUT_OF_MEMORY, a proxy's limit
          };
      case INTERNAL, UNKNOWN -> RetryScope.OTHER_WORKER; // a defect, a reset stream
      case CANCELLED ->
          reason.equals("CANCELLED_BY_CLIENT")
              ? RetryScope.NEVER
              : RetryScope.OTHER_WORKER; // the worker's end closed
      case DATA_LOSS ->
          reason.equals("BROKEN_CONTRACT")
              ? RetryScope.OTHER_WORKER // an answer that stops short
              : RetryScope.NEVER; // BACKBONE_CHANGED
      case DEADLINE_EXCEEDED -> RetryScope.OTHER_WORKER; // of one call; the job's ends the job
      case ABORTED ->
          reason.isEmpty() ? RetryScope.SAME_WORKER : RetryScope.NEVER; // NON_FINITE_LOSS
      case OK,
          INVALID_ARGUMENT,
          NOT_FOUND,
          ALREADY_EXISTS,
          PERMISSION_DENIED,
          FAILED_PRECONDITION,
          OUT_OF_RANGE,
          UNIMPLEMENTED,
          UNAUTHENTICATED ->
          RetryScope.NEVER;
    };
  }

  /**
   * Whether a worker refused the call as it has as many as it takes. That is no attempt: the worker
   * gets no call for a while, and the job waits for a place as if all were taken by the pool.
   */
  static boolean isRefusal(Throwable thrown) {
    return thrown instanceof GraftRpcException failed
        && failed.code() == Status.Code.RESOURCE_EXHAUSTED
        && failed.reason().equals("TOO_MANY_CALLS");
  }
}

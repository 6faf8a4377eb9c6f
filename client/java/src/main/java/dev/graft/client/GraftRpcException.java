package dev.graft.client;

import com.google.rpc.BadRequest.FieldViolation;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call that failed. The message is for people and says what to do; programs branch on the
 * subclass, or on {@link #reason()}. An instance of this class itself is a failure that has no
 * class of its own, such as a defect of the worker (INTERNAL).
 *
 * <p>Serialization keeps everything but the cause and the last checkpoint.
 */
public sealed class GraftRpcException extends RuntimeException
    permits BackboneNotFoundException,
        BrokenContractException,
        CallCancelledException,
        DamagedBackboneException,
        DeadlineExceededException,
        InvalidRequestException,
        NonFiniteLossException,
        ResourceExhaustedException,
        UnsupportedBackboneException,
        WorkerUnavailableException {

  private final Failure failure;

  GraftRpcException(Failure failure) {
    super(failure.message(), null);
    this.failure = failure;
  }

  /** What gRPC gave; null if the client found the failure itself, or after serialization. */
  @Override
  public synchronized Throwable getCause() {
    return failure.cause();
  }

  /** The status code of the call. */
  public Status.Code code() {
    return failure.code();
  }

  /**
   * Why, in UPPER_SNAKE: one of the reasons that the contract lists for the call, or of the few
   * that the client itself finds. Empty if whatever failed gave none, as a lost connection does.
   */
  public String reason() {
    return failure.reason();
  }

  /** The variables of the message, by name. */
  public Map<String, String> metadata() {
    return failure.metadata();
  }

  /** The fields of the request that were wrong, with their paths; possibly none. */
  public List<FieldViolation> fieldViolations() {
    return failure.fieldViolations();
  }

  /** How long to wait before trying again, if the worker said so. */
  public Optional<Duration> retryDelay() {
    return failure.retryDelay();
  }

  /** Whether the same call can succeed later, or at another worker. */
  public boolean isRetryable() {
    return failure.code() == Status.Code.UNAVAILABLE || failure.retryDelay().isPresent();
  }

  /**
   * The same failure, about an item that its caller knows by another number than the worker.
   *
   * @param number the caller's number of it
   * @param what what the caller calls it, for the message
   */
  public GraftRpcException aboutItem(long number, String what) {
    return StatusTranslation.typed(
        failure.about(
            Long.toUnsignedString(number),
            "%s, which is item %s here: %s"
                .formatted(what, failure.metadata().getOrDefault("item", "?"), getMessage())));
  }

  /** The last checkpoint that a Train call received before it failed; going on from it is safe. */
  public Optional<TrainEvent.CheckpointSaved> lastCheckpoint() {
    return failure.lastCheckpoint();
  }
}

package dev.graft.client;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.graft.v1.ExtractSpec;
import java.time.Duration;
import java.util.Optional;

/**
 * What one Extract call computes.
 *
 * @param spec what to compute
 * @param projectorFile the trained projector's safetensors file; empty if the spec has none
 * @param deadline how long the whole call may take; empty means the client's default
 */
public record ExtractJob(ExtractSpec spec, ByteString projectorFile, Optional<Duration> deadline) {
  /** Makes a job; the file's size is entered into the spec. */
  public ExtractJob {
    requireNonNull(deadline);
    if (spec.hasProjector()) {
      ExtractSpec.Builder announced = spec.toBuilder();
      announced.getProjectorBuilder().setFileBytes(projectorFile.size());
      spec = announced.build();
    } else if (!projectorFile.isEmpty()) {
      throw new IllegalArgumentException(
          "a projector file was given, but the spec has no projector: set spec.projector to the"
              + " shape that the file was trained with");
    }
  }

  /** A job without projector file. */
  public static ExtractJob of(ExtractSpec spec) {
    return new ExtractJob(spec, ByteString.EMPTY, Optional.empty());
  }

  /** The same job with the weights of the projector that its spec names. */
  public ExtractJob withProjectorFile(ByteString newProjectorFile) {
    return new ExtractJob(spec, newProjectorFile, deadline);
  }

  /** The same job with a limit on the duration of the whole call. */
  public ExtractJob withDeadline(Duration newDeadline) {
    return new ExtractJob(spec, projectorFile, Optional.of(newDeadline));
  }
}

package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import java.util.Optional;

/** The schemes that results can be stored in. */
@FunctionalInterface
interface QuantizedFormats {
  /** The format of a request's scheme; empty for NONE. */
  Optional<QuantizedFormat> of(QuantizeRequest request);

  /** Those of this version. */
  QuantizedFormats ALL =
      request ->
          switch (request.scheme()) {
            case NONE -> Optional.empty();
            case NF4, FP4, INT8, Q8_0, Q4_0 ->
                throw GraftException.invalidArgument(
                        "UNSUPPORTED_SCHEME", "scheme " + request.scheme() + " is not written yet")
                    .with("field", "scheme");
          };
}

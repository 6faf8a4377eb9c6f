package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import dev.graft.server.backbones.BackboneInfo;
import dev.graft.server.extraction.FeatureSpec;
import dev.graft.server.extraction.Pooling;
import dev.graft.server.torch.ComputeDtype;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How features are computed, as a caller says it.
 *
 * @param backbone its path; empty when every item carries its features
 * @param layer as in transformers' {@code hidden_states}; negative counts from the last
 * @param computeDtype empty for the worker's default
 * @param maxTokens 0 for the backbone's limit
 */
public record FeatureRequest(
    Optional<String> backbone,
    Optional<Pooling> pooling,
    OptionalInt layer,
    boolean normalize,
    Optional<ComputeDtype> computeDtype,
    int maxTokens,
    boolean rejectOverlength) {

  /**
   * Checks what does not depend on the backbone.
   *
   * @param available types that the device can compute in
   */
  void check(List<ComputeDtype> available) {
    if (backbone.isPresent() && computeDtype.isPresent()) {
      ComputeDtype asked = computeDtype.get();
      if (!available.contains(asked)) {
        throw GraftException.invalidArgument(
                "INVALID_SPEC",
                "features.compute_dtype is "
                    + asked
                    + ", which this worker's device cannot compute: use one of "
                    + available
                    + ", or leave it unset for "
                    + available.get(0)
                    + ".")
            .with("field", "spec.features.compute_dtype");
      }
    }
  }

  /** Fills the defaults in. */
  FeatureSpec resolve(BackboneInfo info, ComputeDtype defaultDtype) {
    Pooling defaultPooling = info.causal() ? Pooling.LAST : Pooling.MEAN;
    return new FeatureSpec(
        pooling.orElse(defaultPooling),
        resolveLayer(info.blocks()),
        normalize,
        computeDtype.orElse(defaultDtype),
        resolveMaxTokens(info.maxTokens()),
        rejectOverlength);
  }

  private int resolveLayer(int blocks) {
    int asked = layer.orElse(-1);
    int resolved = asked < 0 ? asked + blocks + 1 : asked;
    if (resolved < 0 || resolved > blocks) {
      throw GraftException.invalidArgument(
              "INVALID_SPEC",
              "features.layer is "
                  + asked
                  + ", but this backbone has "
                  + blocks
                  + " blocks: use "
                  + -(blocks + 1)
                  + " to "
                  + blocks
                  + ".")
          .with("field", "spec.features.layer");
    }
    return resolved;
  }

  private int resolveMaxTokens(int limit) {
    if (maxTokens < 0 || maxTokens > limit) {
      throw GraftException.invalidArgument(
              "INVALID_SPEC",
              "features.max_tokens is "
                  + Integer.toUnsignedString(maxTokens)
                  + ", but this backbone takes at most "
                  + limit
                  + " tokens.")
          .with("field", "spec.features.max_tokens");
    }
    return maxTokens == 0 ? limit : maxTokens;
  }
}

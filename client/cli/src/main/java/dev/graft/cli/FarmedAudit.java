package dev.graft.cli;

import dev.graft.v1.ExtractReady;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainResult;
import java.util.Optional;

/**
 * What a training on a farm knows of its backbone: the worker that trains gets features, those that
 * computed them said which backbone they have.
 */
final class FarmedAudit {
  private FarmedAudit() {}

  /** The spec and the audit with what the features' extraction came to, if it was apart. */
  static TrainReady complete(TrainReady ready, Optional<ExtractReady> features) {
    return features
        .map(
            known -> {
              TrainReady.Builder complete = ready.toBuilder();
              complete.getSpecBuilder().setFeatures(known.getFeatures());
              return complete.setAudit(complete(ready.getAudit(), known)).build();
            })
        .orElse(ready);
  }

  /** Likewise of the result. */
  static TrainResult complete(TrainResult result, Optional<ExtractReady> features) {
    return features
        .map(known -> result.toBuilder().setAudit(complete(result.getAudit(), known)).build())
        .orElse(result);
  }

  private static ParameterAudit complete(ParameterAudit audit, ExtractReady features) {
    return audit.toBuilder().setFrozenDigest(features.getBackboneDigest()).build();
  }
}

package dev.graft.cli;

import dev.graft.v1.ExtractReady;
import dev.graft.v1.ParameterAudit;
import dev.graft.v1.TrainReady;
import dev.graft.v1.TrainResult;

/**
 * What a training on a farm knows of its backbone: the worker that trains gets features, those that
 * computed them said which backbone they have.
 */
final class FarmedAudit {
  private FarmedAudit() {}

  /** The spec and the audit with what the features' extraction came to. */
  static TrainReady complete(TrainReady ready, ExtractReady features) {
    TrainReady.Builder complete = ready.toBuilder();
    complete.getSpecBuilder().setFeatures(features.getFeatures());
    return complete.setAudit(complete(ready.getAudit(), features)).build();
  }

  /** Likewise the result. */
  static TrainResult complete(TrainResult result, ExtractReady features) {
    return result.toBuilder().setAudit(complete(result.getAudit(), features)).build();
  }

  private static ParameterAudit complete(ParameterAudit audit, ExtractReady features) {
    return audit.toBuilder().setFrozenDigest(features.getBackboneDigest()).build();
  }
}

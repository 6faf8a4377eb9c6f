package dev.graft.server.jobs;

import dev.graft.server.GraftException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Refuses to train a backbone's own weights, and says what to do instead. */
public final class FrozenGuard {
  private static final int MOST_NAMED = 10;

  private FrozenGuard() {}

  /**
   * Looks up what was asked to train.
   *
   * @param modules names of modules or tensors; at least one
   * @return the refusal: FAILED_PRECONDITION QUANTIZED_WEIGHTS or FROZEN_BACKBONE, or
   *     INVALID_ARGUMENT INVALID_SPEC for a name that the backbone has not
   */
  public static GraftException refusal(
      WorkerResources worker, Optional<String> backbone, List<String> modules) {
    if (backbone.isEmpty()) {
      return unknown(modules.get(0), "the spec names no backbone");
    }
    try (BackboneStore.Lease lease = worker.backbones().acquire(backbone.get())) {
      List<String> quantized = lease.backbone().backbone().quantizedWeights();
      for (String module : modules) {
        if (Stream.concat(quantized.stream(), lease.backbone().checkpoint().names().stream())
            .noneMatch(name -> isIn(module, name))) {
          return unknown(module, "the backbone " + backbone.get() + " has no such module");
        }
      }
      List<String> asked =
          quantized.stream()
              .filter(name -> modules.stream().anyMatch(module -> isIn(module, name)))
              .toList();
      return asked.isEmpty() ? frozen(modules) : quantized(asked);
    }
  }

  private static boolean isIn(String module, String name) {
    return name.equals(module) || name.startsWith(module + ".");
  }

  private static GraftException quantized(List<String> names) {
    String shown = String.join(", ", names.subList(0, Math.min(MOST_NAMED, names.size())));
    String more =
        names.size() > MOST_NAMED ? " and %d more".formatted(names.size() - MOST_NAMED) : "";
    return GraftException.failedPrecondition(
            "QUANTIZED_WEIGHTS",
            "These weights are stored quantized and cannot train: %s%s. Ways out: train a projector on the frozen"
                    .formatted(shown, more)
                + " backbone (leave backbone_modules empty); train LoRA adapters beside them, where the worker has them; or"
                + " dequantize the backbone first (Quantize with scheme NONE), tune that, and quantize again.")
        .with("weights", String.join(",", names));
  }

  private static GraftException frozen(List<String> modules) {
    return GraftException.failedPrecondition(
            "FROZEN_BACKBONE",
            "The backbone is frozen, so %s cannot train. Train a projector on it: leave backbone_modules empty."
                .formatted(String.join(", ", modules)))
        .with("modules", String.join(",", modules));
  }

  private static GraftException unknown(String module, String why) {
    return GraftException.invalidArgument(
            "INVALID_SPEC", "backbone_modules asks to train %s, but %s.".formatted(module, why))
        .with("field", "spec.backbone_modules");
  }
}

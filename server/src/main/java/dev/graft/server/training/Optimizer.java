package dev.graft.server.training;

import java.util.List;

/** torch.optim.AdamW or torch.optim.SGD. */
public enum Optimizer {
  ADAMW_TORCH,
  SGD;

  /** What the optimizer keeps for each parameter, by torch's names. */
  List<String> stateNames() {
    return switch (this) {
      case ADAMW_TORCH -> List.of("exp_avg", "exp_avg_sq");
      case SGD -> List.of("momentum_buffer");
    };
  }
}

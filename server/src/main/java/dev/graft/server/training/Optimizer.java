package dev.graft.server.training;

import java.util.List;

/** torch.optim.AdamW or torch.optim.SGD. */
public enum Optimizer {
  ADAMW_TORCH(List.of("exp_avg", "exp_avg_sq")),
  SGD(List.of("momentum_buffer"));

  private final List<String> stateNames;

  Optimizer(List<String> stateNames) {
    this.stateNames = stateNames;
  }

  /** What the optimizer keeps for each parameter, by torch's names. */
  List<String> stateNames() {
    return stateNames;
  }
}

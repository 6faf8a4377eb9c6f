package dev.graft.server.training;

import dev.graft.server.torch.TorchDevice;

/** Refuses batches that the device's memory cannot take, before they can end the process. */
final class StepMemory {
  private StepMemory() {}

  /**
   * @param rows items of the largest batch
   * @param field that says how many
   */
  static void check(
      TorchDevice device,
      Projector projector,
      Objective objective,
      boolean paired,
      long rows,
      String field) {
    long limit = device.totalMemoryBytes() / 2;
    double needed = bytes(projector, objective, paired ? 2 * rows : rows, rows);
    InvalidField.check(
        needed <= limit,
        field,
        "must need at most half of the memory of device %s, %d bytes"
            .formatted(device.name(), limit),
        "about %.3g bytes for a batch of %d items".formatted(needed, rows));
  }

  /** What a step takes at most: values, their gradients and what lies between, for each layer. */
  private static double bytes(Projector projector, Objective objective, long rows, long items) {
    double values = 2.0 * projector.inputSize() + 8.0 * projector.spec().outputSize();
    for (int size : projector.spec().hiddenSizes()) {
      values += 8.0 * size;
    }
    double scores = objective instanceof Objective.InfoNce ? 8.0 * items * items : 0;
    return Float.BYTES * (values * rows + scores);
  }
}

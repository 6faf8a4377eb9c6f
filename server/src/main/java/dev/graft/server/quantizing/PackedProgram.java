package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;

/** The program of a scheme that packs codes in words, with its scales. */
final class PackedProgram {
  /** Values that a CPU decodes at a time. */
  private static final long CPU_STEP_VALUES = 1 << 19;

  private final SchemeProgram program;

  PackedProgram(String resource) {
    this.program = new SchemeProgram(resource, "scales.py");
  }

  Program on(TorchDevice device) {
    return program.on(device);
  }

  /**
   * Outputs that are decoded at a time: a whole number of words, and enough of them that a row's
   * part is a few cache lines.
   */
  static long step(TorchDevice device, long inputs) {
    long values = SchemeProgram.stepValues(device, CPU_STEP_VALUES);
    return Math.max(2, values / inputs / PackedTensors.WORD_BITS) * PackedTensors.WORD_BITS;
  }

  /** Refuses scales with which no value could be right. */
  void requireFinite(Scope scope, Tensor scales, TensorEntry entry) {
    if (on(scope.device()).call(scope, "is_finite", scales).toFloats()[0] == 0) {
      throw WrongEntry.corrupt(entry, "holds infinities or NaN");
    }
  }
}

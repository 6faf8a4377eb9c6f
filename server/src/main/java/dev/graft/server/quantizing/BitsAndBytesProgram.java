package dev.graft.server.quantizing;

import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;

/** The decoders of bitsandbytes' schemes. */
final class BitsAndBytesProgram {
  /** Values that a CPU decodes at a time. */
  private static final long CPU_STEP_VALUES = 1 << 18;

  private static final SchemeProgram PROGRAM = new SchemeProgram("bits_and_bytes.py");

  private BitsAndBytesProgram() {}

  static Tensor call(Scope scope, String method, Object... arguments) {
    return PROGRAM.on(scope.device()).call(scope, method, arguments);
  }

  /** How many runs of this many values are decoded at a time. */
  static long step(TorchDevice device, long values) {
    return Math.max(1, SchemeProgram.stepValues(device, CPU_STEP_VALUES) / Math.max(1, values));
  }
}

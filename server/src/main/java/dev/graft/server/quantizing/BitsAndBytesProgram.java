package dev.graft.server.quantizing;

import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The decoders, compiled once for each device and kept as long as the process. */
final class BitsAndBytesProgram {
  /**
   * Values that are decoded at a time. On a CPU few, to stay in its caches; on a GPU many, so that
   * its kernels are few.
   */
  private static final long CPU_STEP_VALUES = 1 << 18;

  private static final long GPU_STEP_VALUES = 1 << 24;

  private static final Map<String, Program> PROGRAMS = new ConcurrentHashMap<>();

  private BitsAndBytesProgram() {}

  static Tensor call(Scope scope, String method, Object... arguments) {
    return PROGRAMS
        .computeIfAbsent(scope.device().name(), device -> assemble(scope.device()))
        .call(scope, method, arguments);
  }

  private static Program assemble(TorchDevice device) {
    return Program.assemble(
        device, ProgramText.of(BitsAndBytesProgram.class, "bits_and_bytes.py", Map.of()));
  }

  /** How many runs of this many values are decoded at a time. */
  static long step(TorchDevice device, long values) {
    long step = device.isCuda() ? GPU_STEP_VALUES : CPU_STEP_VALUES;
    return Math.max(1, step / Math.max(1, values));
  }
}

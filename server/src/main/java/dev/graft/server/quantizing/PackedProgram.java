package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.Scope;
import dev.graft.server.torch.Tensor;
import dev.graft.server.torch.TorchDevice;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A scheme's program, compiled once for each device and kept as long as the process. */
final class PackedProgram {
  /**
   * Values that are decoded at a time. On a CPU few, to stay in its caches; on a GPU many, so that
   * its kernels are few.
   */
  private static final long CPU_STEP_VALUES = 1 << 19;

  private static final long GPU_STEP_VALUES = 1 << 24;

  private final String[] texts;
  private final Map<String, Program> programs = new ConcurrentHashMap<>();

  PackedProgram(String resource) {
    this.texts =
        Stream.of(resource, "scales.py")
            .map(name -> ProgramText.of(PackedProgram.class, name, Map.of()))
            .toArray(String[]::new);
  }

  Program on(TorchDevice device) {
    return programs.computeIfAbsent(device.name(), name -> Program.assemble(device, texts));
  }

  /**
   * Outputs that are decoded at a time: a whole number of words, and enough of them that a row's
   * part is a few cache lines.
   */
  static long step(TorchDevice device, long inputs) {
    long values = device.isCuda() ? GPU_STEP_VALUES : CPU_STEP_VALUES;
    return Math.max(2, values / inputs / PackedTensors.WORD_BITS) * PackedTensors.WORD_BITS;
  }

  /** Refuses scales with which no value could be right. */
  void requireFinite(Scope scope, Tensor scales, TensorEntry entry) {
    if (on(scope.device()).call(scope, "is_finite", scales).toFloats()[0] == 0) {
      throw PackedTensors.corrupt(entry, "holds infinities or NaN");
    }
  }
}

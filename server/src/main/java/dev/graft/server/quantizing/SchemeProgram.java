package dev.graft.server.quantizing;

import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.TorchDevice;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A scheme's program, compiled when a device first needs it and kept as long as the process. */
final class SchemeProgram {
  /** Values that a GPU decodes at a time: many, so that its kernels are few. */
  private static final long GPU_STEP_VALUES = 1 << 24;

  private final String[] resources;
  private final Map<String, Program> programs = new ConcurrentHashMap<>();

  /**
   * @param resources the program's methods, callees first; {@code $device} in them is the device
   */
  SchemeProgram(String... resources) {
    this.resources = resources.clone();
  }

  Program on(TorchDevice device) {
    return programs.computeIfAbsent(device.name(), name -> assemble(device));
  }

  private Program assemble(TorchDevice device) {
    Map<String, Object> literals = Map.of("device", device.name());
    return Program.assemble(
        device,
        Stream.of(resources)
            .map(resource -> ProgramText.of(SchemeProgram.class, resource, literals))
            .toArray(String[]::new));
  }

  /**
   * Values that are decoded at a time.
   *
   * @param onCpu few, to stay in its caches
   */
  static long stepValues(TorchDevice device, long onCpu) {
    return device.isCuda() ? GPU_STEP_VALUES : onCpu;
  }
}

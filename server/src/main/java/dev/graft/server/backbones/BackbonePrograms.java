package dev.graft.server.backbones;

import dev.graft.server.torch.Kernel;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.TorchDevice;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** An architecture's program for each kernel, assembled at its first use. */
final class BackbonePrograms implements AutoCloseable {
  private final Architecture architecture;
  private final TorchDevice device;

  /** Guarded by this. */
  private final Map<Kernel, Program> programs = new EnumMap<>(Kernel.class);

  BackbonePrograms(Architecture architecture, TorchDevice device) {
    this.architecture = architecture;
    this.device = device;
  }

  synchronized Program of(Kernel kernel) {
    return programs.computeIfAbsent(kernel, this::assemble);
  }

  private Program assemble(Kernel kernel) {
    List<String> names = new ArrayList<>();
    names.add(
        switch (kernel) {
          case MKL, CUBLAS -> "linear_torch.py";
          case ONEDNN -> "linear_onednn.py";
          case FBGEMM -> "linear_int8_dynamic.py";
        });
    names.add("packed.py");
    names.add("attention.py");
    names.addAll(architecture.texts());
    names.add("hidden_states.py");
    Map<String, Object> literals = new HashMap<>(architecture.literals());
    literals.put("block_weights", blockWeights(kernel));
    return Program.assemble(
        device,
        names.stream()
            .map(name -> ProgramText.of(BackbonePrograms.class, name, literals))
            .toArray(String[]::new));
  }

  /** How a program gets the weights of a block. */
  private static String blockWeights(Kernel kernel) {
    return switch (kernel) {
      case MKL, ONEDNN, CUBLAS -> "Dict[str, Tensor]";
      case FBGEMM ->
          "Tuple[Dict[str, Tensor], Dict[str, __torch__.torch.classes.quantized.LinearPackedParamsBase]]";
    };
  }

  @Override
  public synchronized void close() {
    programs.values().forEach(Program::close);
    programs.clear();
  }
}

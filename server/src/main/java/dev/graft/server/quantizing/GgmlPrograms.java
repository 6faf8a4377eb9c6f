package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.ProgramText;
import dev.graft.server.torch.TorchDevice;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The program that decodes each type, compiled when it is first needed and kept. */
final class GgmlPrograms {
  private static final Map<Key, Program> COMPILED = new ConcurrentHashMap<>();

  private GgmlPrograms() {}

  private record Key(GgmlType type, String device) {}

  static Program of(GgmlType type, TorchDevice device) {
    return COMPILED.computeIfAbsent(new Key(type, device.name()), key -> compile(type, device));
  }

  private static Program compile(GgmlType type, TorchDevice device) {
    Map<String, Object> literals = Map.of("device", device.name());
    return Program.assemble(
        device,
        ProgramText.of(GgmlPrograms.class, "ggml_bits.py", literals),
        ProgramText.of(GgmlPrograms.class, resource(type), literals),
        ProgramText.of(GgmlPrograms.class, "ggml_decode.py", literals));
  }

  private static String resource(GgmlType type) {
    return switch (type) {
      case F32, F16, BF16 -> "ggml_plain.py";
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL ->
          "ggml_" + type.name().toLowerCase(Locale.ROOT) + ".py";
    };
  }
}

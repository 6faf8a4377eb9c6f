package dev.graft.server.quantizing;

import dev.graft.server.checkpoints.GgmlType;
import dev.graft.server.torch.Program;
import dev.graft.server.torch.TorchDevice;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The program that decodes each type. */
final class GgmlPrograms {
  private static final Map<GgmlType, SchemeProgram> PROGRAMS = new ConcurrentHashMap<>();

  private GgmlPrograms() {}

  static Program of(GgmlType type, TorchDevice device) {
    return PROGRAMS
        .computeIfAbsent(
            type, key -> new SchemeProgram("ggml_bits.py", resource(key), "ggml_decode.py"))
        .on(device);
  }

  private static String resource(GgmlType type) {
    return switch (type) {
      case F32, F16, BF16 -> "ggml_plain.py";
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL ->
          "ggml_" + type.name().toLowerCase(Locale.ROOT) + ".py";
    };
  }
}

package dev.graft.server.torch;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What Linux knows of the processors, as far as libraries choose kernels by it. */
final class Processor {
  private static final Path CPUS = Path.of("/proc/cpuinfo");
  private static final Path GPUS = Path.of("/proc/driver/nvidia/gpus");

  /** Lines of the first processor that say what it is, on x86 and ARM. */
  private static final Pattern IDENTITY =
      Pattern.compile("(vendor_id|cpu family|model|CPU implementer|CPU part|Features)\\s*:.*");

  /** Instructions that compute on vectors or matrices. */
  private static final Pattern VECTORS = Pattern.compile("(sse4|avx|fma|f16c|amx).*");

  /** By which the libraries can be told to leave instructions out. */
  private static final List<String> OVERRIDES =
      List.of("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_CBWR");

  private Processor() {}

  /** The CPU's identity and its vector instructions, or where they are not known its kind. */
  static String cpu() {
    List<String> facts = new ArrayList<>(List.of(System.getProperty("os.arch")));
    for (String name : OVERRIDES) {
      if (System.getenv(name) != null) {
        facts.add(name + "=" + System.getenv(name));
      }
    }
    try {
      facts.addAll(facts(Files.readString(CPUS)));
    } catch (IOException e) {
      System.getLogger(Processor.class.getName())
          .log(System.Logger.Level.DEBUG, "The CPU is not known: " + CPUS, e);
    }
    return String.join("; ", facts);
  }

  /** What decides kernels in the text of {@code /proc/cpuinfo}. */
  static List<String> facts(String cpuinfo) {
    List<String> facts = new ArrayList<>();
    for (String line : cpuinfo.lines().takeWhile(line -> !line.isBlank()).toList()) {
      if (IDENTITY.matcher(line).matches()) {
        facts.add(line.replaceAll("\\s*:\\s*", " "));
      } else if (line.startsWith("flags")) {
        facts.add(
            Arrays.stream(line.split("\\s+"))
                .filter(flag -> VECTORS.matcher(flag).matches())
                .sorted()
                .collect(Collectors.joining(" ")));
      }
    }
    return facts;
  }

  /** Names of the kinds of NVIDIA GPUs; empty where the driver does not tell. */
  static Set<String> gpus() {
    Set<String> models = new TreeSet<>();
    if (!Files.isDirectory(GPUS)) {
      return models;
    }
    try (DirectoryStream<Path> gpus = Files.newDirectoryStream(GPUS)) {
      for (Path gpu : gpus) {
        try (var lines = Files.lines(gpu.resolve("information"))) {
          lines.filter(line -> line.startsWith("Model:")).forEach(models::add);
        }
      }
    } catch (IOException e) {
      System.getLogger(Processor.class.getName())
          .log(System.Logger.Level.DEBUG, "The GPUs are not known: " + GPUS, e);
    }
    return models;
  }
}

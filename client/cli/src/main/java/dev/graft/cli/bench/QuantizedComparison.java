package dev.graft.cli.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Quantizing, extraction on an NF4 backbone against the unquantized one in the same type, and
 * training on it against loops on bitsandbytes' own NF4.
 */
final class QuantizedComparison implements Comparison {
  private static final List<String> SCHEMES = List.of("nf4", "int8", "q8_0");
  private static final String IDLE = "empty worker";

  private final Processes processes;
  private final Path model;
  private final Path items;
  private final BenchRounds rounds;
  private final List<String> dtypes;
  private final boolean hasBitsAndBytes;

  QuantizedComparison(Processes processes, Path model, Path items, BenchRounds rounds)
      throws IOException, InterruptedException {
    this.processes = processes;
    this.model = model;
    this.items = items;
    this.rounds = rounds;
    this.dtypes = processes.dtypes();
    this.hasBitsAndBytes = processes.pythonHas("bitsandbytes");
  }

  @Override
  public List<Run> runs() throws IOException, InterruptedException {
    List<Run> runs = new ArrayList<>();
    runs.add(new Run(IDLE, processes.own("idle"), rounds.most()));
    for (String scheme : SCHEMES) {
      runs.add(
          new Run(
              "quantize " + scheme,
              processes.own(
                  "quantize",
                  "--model",
                  model.toString(),
                  "--scheme",
                  scheme,
                  "--output",
                  quantized(scheme).toString()),
              rounds.most()));
    }
    for (String dtype : dtypes) {
      runs.add(own("extract", "dense", model, dtype));
      runs.add(own("extract", "NF4", quantized("nf4"), dtype));
    }
    runs.add(own("extract", "dense", model, "int8-dynamic"));
    runs.add(own("train", "NF4", quantized("nf4"), fastest()));
    if (hasBitsAndBytes) {
      runs.add(loop("careful", rounds.most()));
      runs.add(loop("naive", rounds.naive()));
    }
    return runs;
  }

  /** The type that auto chooses. */
  private String fastest() {
    return dtypes.get(dtypes.size() - 1);
  }

  private Path quantized(String scheme) {
    return processes.directory().resolve("bench-" + scheme);
  }

  private Run own(String what, String name, Path backbone, String dtype) {
    return new Run(
        what + " " + name + " " + dtype,
        processes.own(
            what,
            "--model",
            backbone.toString(),
            "--items",
            items.toString(),
            "--dtype",
            dtype,
            "--token-flops",
            "" + BenchModel.SMALL.tokenFlops()),
        rounds.most());
  }

  private Run loop(String way, int count) throws IOException, InterruptedException {
    return new Run(
        "bitsandbytes NF4 " + way + " loop",
        processes.baseline(
            way,
            "--model",
            model.toString(),
            "--items",
            items.toString(),
            "--dtype",
            fastest(),
            "--quant",
            "nf4"),
        count);
  }

  @Override
  public void print(Results results, PrintStream out) {
    for (String scheme : SCHEMES) {
      String name = "quantize " + scheme;
      double largest = results.of(name, "largest_tensor_mib").orElseThrow();
      double peak = results.of(name, "peak_rss_mib").orElseThrow();
      out.printf(
          Locale.ROOT,
          "%s: %.0f MB/s of source, peak %.0f MiB, of 3 x largest tensor + 300 MB %.3f%n",
          name,
          results.of(name, "source_mb_per_s").orElseThrow(),
          peak,
          peak / (3 * largest + 300e6 / (1 << 20)));
    }
    for (String dtype : dtypes) {
      String label = "NF4 / dense, " + dtype;
      String quantized = "extract NF4 " + dtype;
      String dense = "extract dense " + dtype;
      results.printSpeed(out, label, quantized, dense);
      Results.print(
          out,
          label + ", peak memory above the empty worker",
          aboveIdle(results, quantized) / aboveIdle(results, dense));
    }
    results.printSpeed(
        out, "int8-dynamic / fp32", "extract dense int8-dynamic", "extract dense fp32");
    for (String way : List.of("careful", "naive")) {
      results.printSpeed(
          out,
          "NF4 train / bitsandbytes' " + way + " loop, " + fastest(),
          "train NF4 " + fastest(),
          "bitsandbytes NF4 " + way + " loop");
    }
    if (!hasBitsAndBytes) {
      out.println("bitsandbytes left out: --python names none that has it");
    }
  }

  private static double aboveIdle(Results results, String name) {
    OptionalDouble idle = results.of(IDLE, "peak_rss_mib");
    return results.of(name, "peak_rss_mib").orElseThrow() - idle.orElseThrow();
  }
}
